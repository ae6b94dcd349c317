"""docs/patterns.md names tests, commands and pages that there are, and code that is code."""

import ast
import re
import sys
from pathlib import Path
from types import ModuleType

import pytest

from service.cli.main import main
from tasks.sdk.types import REGISTRY
from tests.cli.commands import commands

ROOT = Path(__file__).parents[2]
TEXT = (ROOT / "docs" / "patterns.md").read_text(encoding="utf-8")

ANTI_PATTERNS = re.findall(
    r"^### (.+?)\n(.*?)(?=^##)", TEXT.partition("## Queue or event stream")[0] + "##", re.M | re.S
)


@pytest.mark.parametrize(("title", "text"), ANTI_PATTERNS, ids=[title for title, _ in ANTI_PATTERNS])
def test_each_anti_pattern_names_tests_that_there_are(title: str, text: str) -> None:
    assert all(f"**{part}" in text for part in ("How it fails.", "Here.", "Proved by"))
    named = re.findall(r"^- `(tests/\S+\.py)::(test_\w+)`$", text, re.M)
    assert named
    for file, name in named:
        tree = ast.parse((ROOT / file).read_text(encoding="utf-8"))
        there = {node.name for node in tree.body if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef)}
        assert name in there, f"{file} has no {name}"


def test_twelve_points_each_have_a_command_or_a_page() -> None:
    rows = re.findall(r"^\| (\d+) \| .+? \| (.+) \|$", TEXT, re.M)
    assert [int(number) for number, _ in rows] == list(range(1, 13))
    for _, shown in rows:
        assert re.search(r"`(offload |/admin/)", shown)


def test_every_command_is_one_with_options_that_there_are() -> None:
    known = commands(main)
    for line in re.findall(r"`offload ([a-z][^`]*)`", TEXT):
        name = next(one for one in sorted(known, key=len, reverse=True) if f"{line} ".startswith(f"{one} "))
        options = {option for parameter in known[name].params for option in parameter.opts}
        assert {word for word in line.split() if word.startswith("--")} <= options, line


def test_every_page_is_one_that_there_is() -> None:
    sources = "".join(path.read_text(encoding="utf-8") for path in (ROOT / "dashboard").rglob("*.py"))
    for page in set(re.findall(r"`/admin(/\w+)`", TEXT)):
        assert f'"{page}"' in sources, page


def test_the_code_is_code_and_the_first_of_ours_declares_a_job() -> None:
    blocks = re.findall(r"```python\n(.*?)```", TEXT, re.S)
    assert len(blocks) == 6
    for block in blocks:
        ast.parse(block)
    example = ModuleType("tasks.resize")
    sys.modules[example.__name__] = example
    try:
        exec(compile(blocks[0], "docs/patterns.md", "exec"), example.__dict__)
        assert REGISTRY["resize"].retries == 2
    finally:
        del sys.modules[example.__name__]
        REGISTRY.pop("resize", None)
