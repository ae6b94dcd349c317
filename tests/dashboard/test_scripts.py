"""The pages' own scripts, as browsers run them: all of them in one scope."""

import re
from collections import Counter
from pathlib import Path

STATIC = Path(__file__).parents[2] / "static"
DECLARED = re.compile(r"^(?:const|let|class|(?:async )?function) (\w+)", re.MULTILINE)


def test_no_two_scripts_declare_the_same_name() -> None:
    """The second `const` of a name ends its script with an error, the second `function` takes the place of the first."""
    names = Counter(name for file in STATIC.glob("*.js") for name in DECLARED.findall(file.read_text()))
    assert names["patchNode"] == 1
    assert [name for name, number in names.items() if number > 1] == []
