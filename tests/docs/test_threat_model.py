"""Each threat names a test, and each test that is named exists."""

import re
from pathlib import Path

ROOT = Path(__file__).parents[2]
TEXT = (ROOT / "docs" / "threat-model.md").read_text(encoding="utf-8")


def test_each_threat_names_a_test_that_exists() -> None:
    table = TEXT.partition("\n## Threats\n")[2].partition("\n## ")[0]
    rows = [row.strip("|").split("|") for row in table.splitlines() if row.startswith("| ")][1:]
    assert len(rows) > 15
    for threat, _, tests in rows:
        named = re.findall(r"`(tests/[\w/]+\.py)(?:::(\w+))?`", tests)
        assert named, f"no test against: {threat}"
        for file, name in named:
            source = (ROOT / file).read_text(encoding="utf-8")
            assert not name or re.search(rf"^(async )?def {name}\(", source, re.MULTILINE), f"no {name} in {file}"
