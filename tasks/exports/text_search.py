"""Text that is found whatever the case of its letters, by the same rule on SQLite and on PostgreSQL.

SQLite's own LIKE folds ASCII only, and PostgreSQL's ILIKE folds what the locale of the database says. So the folding is
Unicode's, done here: each letter becomes the class of all the letters that it is taken for, in a regular expression of
which both databases understand every part.
"""

import re
from functools import cache

DOTLESS = {"\u0131": "i", "i\u0307": "i"}
"""Turkish has an i with a dot and one without, each in two cases, which everybody else takes for one letter: any of the
four finds the others."""

CASED_END = 0x1E944
"""Above it Unicode has no letter that comes in two cases."""


def any_case(text: str) -> str:
    """A regular expression, as Python's `re` and PostgreSQL's `~` read it, that finds the text in any case."""
    one, several = _same_letters()
    folded, parts, at = _folded(text), [], 0
    while at < len(folded):
        length = next((n for n in (3, 2) if folded[at : at + n] in several), 1)
        piece = folded[at : at + length]
        letters = "".join(_class(char, one) for char in piece)
        parts.append(f"(?:{letters}|[{several[piece]}])" if length > 1 else letters)
        at += length
    return "".join(parts)


def _class(char: str, one: dict[str, str]) -> str:
    return f"[{one[char]}]" if char in one else re.escape(char)


def _folded(text: str) -> str:
    folded = text.casefold()
    for letter, plain in DOTLESS.items():
        folded = folded.replace(letter, plain)
    return folded


@cache
def _same_letters() -> tuple[dict[str, str], dict[str, str]]:
    """Letters by what they fold to: by one letter (k: kK and the Kelvin sign), and by several (ss: ß and ẞ)."""
    same: dict[str, list[str]] = {}
    for code in range(CASED_END):
        letter = chr(code)
        folded = _folded(letter)
        if folded != letter:
            same.setdefault(folded, []).append(letter)
    one = {folded: folded + "".join(letters) for folded, letters in same.items() if len(folded) == 1}
    return one, {folded: "".join(letters) for folded, letters in same.items() if len(folded) > 1}
