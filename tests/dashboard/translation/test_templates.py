"""Every word of a template can be translated: none stands in an expression without a mark."""

import re
from collections.abc import Iterator

import pytest

from dashboard.templating import FOLDER
from dashboard.translation.expressions import Choice, Parts, Value, marks, parts_of, tokens
from dashboard.translation.source import Template, units

TEMPLATES = sorted(path.relative_to(FOLDER).as_posix() for path in FOLDER.rglob("*.html"))

WORDS = re.compile(r"[A-Za-z]{2,}.* .*[A-Za-z]|^[A-Z][a-z]+|[a-z] $|^ [a-z]|^, [a-z]")
"""Text for people: a space between words, or a capital letter in front."""

AMOUNT = re.compile(r"\{(\w+)\} (?:more |completed )?(?!does\b)([a-z]{2,}s)\b(?!\|)")
"""A value with a noun in the plural, outside of a choice."""

NEVER_ONE = {
    "longest_days", "examined_max", "candidates", "days", "name", "size", "height", "bin_minutes", "unread_us", "retries",
    "total", "columns", "chosen",
}  # fmt: skip
"""Values before such a noun that are never 1: constants, sizes in pixels, and counts that are shown from two on."""

UNSHOWN = {"WebP", "Work", "People", "System"}
"""Names that are the same in every language, and keys of menus."""


def _values(parts: Parts) -> Iterator[str]:
    for part in parts:
        match part:
            case Value(code):
                yield code
            case Choice(conditions, branches):
                yield from conditions
                for branch in branches:
                    yield from _values(branch)


def _unmarked(code: str) -> Iterator[str]:
    at, marked = 0, marks(code)
    for token in tokens(code):
        text = token[1:-1]
        inside = any(first <= at < last for first, last in marked)
        if token[0] in "\"'" and WORDS.search(text) and not inside and text not in UNSHOWN:
            yield text
        at += len(token)


@pytest.mark.parametrize("name", TEMPLATES)
def test_words_within_expressions_are_marked(name: str) -> None:
    """A literal that a macro shows stands in `_( )`, as docs/translating.md says."""
    left_out = []
    for piece in Template((FOLDER / name).read_text(), str).pieces:
        if piece.startswith("{{"):
            left_out += [text for code in _values(parts_of(piece[2:-2].strip("-+"))) for text in _unmarked(code)]
        elif piece.startswith("{%"):
            left_out += _unmarked(piece)
    assert left_out == []


def test_no_noun_is_in_the_plural_after_a_number_that_may_be_one() -> None:
    """`{n} page[|s]`, as docs/translating.md says: not "1 pages"."""
    found = [
        unit.message.text
        for name in TEMPLATES
        for unit in units((FOLDER / name).read_text())
        for value, _ in AMOUNT.findall(re.sub(r"\[[^\]]*\]", "", unit.message.text))
        if value.rstrip("0123456789") not in NEVER_ONE
    ]
    assert found == []
