"""The documentation's example is a job type that works, and what documents name is there."""

import re
import sys
from collections import Counter
from pathlib import Path
from types import ModuleType

import pytest

from dashboard.runbook.views import LANGUAGE, RUNBOOK
from service.lib.languages import ENGLISH, LANGUAGES
from settings import Queue
from tasks.sdk.types import REGISTRY

DOCS = Path(__file__).parents[2] / "docs"


def test_the_example_declares_a_job_and_its_functions_count(tmp_path: Path):
    found = re.search(r"```python\n(.*?)```", (DOCS / "adding-a-job.md").read_text(encoding="utf-8"), re.DOTALL)
    assert found is not None
    example = ModuleType("tasks.count_words")
    sys.modules[example.__name__] = example
    try:
        exec(compile(found.group(1), "docs/adding-a-job.md", "exec"), example.__dict__)
        declared = REGISTRY["count-words"]
    finally:
        del sys.modules[example.__name__]
        REGISTRY.pop("count-words", None)
    assert declared.queue is Queue.PDF_PROCESSING and declared.description == "Count the words of a text file."
    text = tmp_path / "text.txt"
    text.write_text("One two\nTWO\n")
    assert example.chunk_count(text) == 1
    assert example.words_of_chunk(text, 0, case_sensitive=False) == ["one", "two", "two"]


def test_every_link_between_documents_leads_somewhere():
    for document in DOCS.rglob("*.md"):
        for link in re.findall(r"\]\((?!http)([^)#]+)", document.read_text(encoding="utf-8")):
            assert (document.parent / link).exists(), f"{document.name} links to {link}"


def test_each_surface_that_may_be_relied_on_names_tests_that_exist() -> None:
    table = (DOCS / "stability.md").read_text(encoding="utf-8").partition("| surface |")[2].partition("\n\n")[0]
    rows = [row.strip("|").split("|") for row in table.splitlines() if row.startswith("| ")]
    assert len(rows) > 15
    for surface, *_, held_by in rows:
        named = re.findall(r"`(tests/[\w/.]+)`", held_by)
        assert named, f"nothing holds {surface}"
        for path in named:
            assert (DOCS.parent / path).exists(), f"{path} is no more there"


SHOWN = [
    (document.name, language.name)
    for language in sorted(path for path in DOCS.iterdir() if path.name in LANGUAGES)
    for document in sorted(language.glob("*.md"))
]
"""Documents in other languages."""


def sections(path: Path) -> list[dict[str, object]]:
    """Form of each section: the level of its heading, its items and rows, its quotations and its pieces of code."""
    return [
        {
            "level": len(head),
            "items": len(re.findall(r"^\d+\. ", body, re.MULTILINE)),
            "rows": len(re.findall(r"^\|", body, re.MULTILINE)),
            "quotations": len(re.findall(r"^> ", body, re.MULTILINE)),
            "paragraphs": len(re.findall(r"\n\n(?=\S)", body.strip())),
            "code": Counter(re.findall(r"```.*?```|`[^`]+`", body, re.DOTALL)),
        }
        for head, body in re.findall(
            r"^(#+) (.*?)(?=^#+ |\Z)", path.read_text(encoding="utf-8"), re.DOTALL | re.MULTILINE
        )
    ]


@pytest.mark.parametrize(("name", "language"), SHOWN)
def test_no_section_of_a_translated_document_is_left_behind(name: str, language: str) -> None:
    english, other = sections(DOCS / name), sections(DOCS / language / name)
    for one, its in zip(english, other, strict=True):
        assert its == one


def test_the_documents_that_pages_show_are_there_in_each_language() -> None:
    others = [language for language in LANGUAGES if language != ENGLISH]
    assert set(SHOWN) == {(name, language) for name in (RUNBOOK, LANGUAGE) for language in others}
    headings = [
        re.findall(r"^## (.+)$", (DOCS / path).read_text(encoding="utf-8"), re.MULTILINE)
        for path in (RUNBOOK, f"de/{RUNBOOK}")
    ]
    assert headings[0] == headings[1], "alerts link to the names of their rules"
