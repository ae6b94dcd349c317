"""Changes of a page by a person, checked and turned into corrections of words."""

import unicodedata
from collections.abc import Sequence
from typing import Annotated

import msgspec

from tasks.ocr.corrections import Edit, PageCorrection, around, text_digest
from tasks.ocr.words import PageText, Word
from tasks.sdk.errors import Refused

WORD_MAX, LINE_MAX = 200, 2_000
"""Characters of a corrected word, and of a line: the longest word of a language has some 80."""

CHANGES_MAX = 2_000
"""Changes in one request: a dense page of a newspaper has as many words."""

JOINERS = "\u200c\u200d"
"""Format characters that scripts such as Persian and Devanagari are written with; all others only hide in a text."""


class WordChange(msgspec.Struct, forbid_unknown_fields=True, frozen=True, kw_only=True):
    """One word (`order`) or one line (`line`) of a page, by its number in the version that was read."""

    order: Annotated[int, msgspec.Meta(ge=0)] | None = None
    line: Annotated[int, msgspec.Meta(ge=0)] | None = None
    text: str = ""
    """The right text. The same text as before confirms it."""
    remove: bool = False
    """True for what is not on the page at all."""


class PageChange(msgspec.Struct, forbid_unknown_fields=True, frozen=True, kw_only=True):
    """Changes of one page: all of them are made, or none."""

    version: Annotated[str, msgspec.Meta(min_length=1, max_length=64)]
    """The page's `version` as it was read. If it has another by now, nothing is changed (409)."""
    words: Annotated[list[WordChange], msgspec.Meta(max_length=CHANGES_MAX)] = msgspec.field(default_factory=list)
    approved: bool | None = None
    """True: the page's text is right as it then is; false takes that back."""


def checked_text(text: str, limit: int, field: str) -> str:
    """A text in normal form and with single spaces. Raises Refused for an empty one and for what no print can show."""
    text = " ".join(unicodedata.normalize("NFC", text).split())
    if not text:
        raise Refused("The correction is empty: to take the word off the page, remove it.", field=field)
    for letter in text:
        if unicodedata.category(letter) in ("Cc", "Cf", "Cs", "Co", "Cn") and letter not in JOINERS:
            raise Refused(
                f"The correction holds the character U+{ord(letter):04X}, which no page can show.", field=field
            )
    if len(text) > limit:
        raise Refused(f"The correction has {len(text):,} characters; at most {limit:,} are kept.", field=field)
    return text


def edits_of(page: PageText, changes: Sequence[WordChange]) -> list[Edit]:
    """Corrections of the words that changes name. Raises Refused, naming the field."""
    edits: list[Edit] = []
    taken: set[int] = set()
    for number, change in enumerate(changes):
        field = f"words[{number}]"
        words = _named(page, change, field)
        orders = {word.order for word in words}
        if orders & taken:
            raise Refused("Two changes name the same word.", field=field)
        taken |= orders
        if change.remove and change.text.strip():
            raise Refused("Either a text is sent or the word is removed, not both.", field=f"{field}.remove")
        if change.remove:
            edits.append(_edit(words, ""))
            continue
        text = checked_text(change.text, WORD_MAX if change.line is None else LINE_MAX, f"{field}.text")
        texts = text.split(" ")
        if len(texts) == len(words):
            pairs = list(zip(words, texts, strict=True))
            # In a line, words that stay are not thereby found to be right; a word that is sent alone is.
            edits += [_edit([word], one) for word, one in pairs if word.text != one or change.line is None]
        else:
            edits.append(_changed_part(words, texts))
    return edits


def _changed_part(words: Sequence[Word], texts: Sequence[str]) -> Edit:
    """The correction of a line that gains or loses words: of those that differ, and one next to them where words come in."""
    same_before = _same(words, texts)
    least = min(len(words), len(texts)) - same_before
    same_after = min(least, _same(words[::-1], texts[::-1]))
    if same_before + same_after == len(words):
        # Words that come in need the box of one that is there.
        same_before, same_after = (same_before - 1, same_after) if same_before else (same_before, same_after - 1)
    changed = words[same_before : len(words) - same_after]
    return _edit(changed, " ".join(texts[same_before : len(texts) - same_after]))


def _same(words: Sequence[Word], texts: Sequence[str]) -> int:
    """Number of words at the beginning that are the same."""
    count = 0
    for word, text in zip(words, texts, strict=False):
        if word.text != text:
            break
        count += 1
    return count


def _named(page: PageText, change: WordChange, field: str) -> list[Word]:
    if (change.order is None) == (change.line is None):
        raise Refused("A change names either a word by `order` or a line by `line`.", field=field)
    if change.order is not None:
        found = [word for word in page.words if word.order == change.order]
        what = f"word {change.order}"
    else:
        found = [word for word in page.words if word.line == change.line]
        what = f"line {change.line}"
    if not found:
        raise Refused(f"Page {page.page} has no {what}.", field=field, status_code=404)
    return found


def _edit(words: Sequence[Word], after: str) -> Edit:
    confidence = min(word.confidence for word in words)
    return Edit(around(words), " ".join(word.text for word in words), after, confidence)


def with_edits(correction: PageCorrection, edits: Sequence[Edit]) -> PageCorrection:
    """Corrections with more of them; one of the same box takes an earlier one's place. An approval of before is over."""
    merged = {edit.box: edit for edit in correction.edits}
    for edit in edits:
        earlier = merged.pop(edit.box, None)
        if earlier is not None:
            edit = Edit(edit.box, earlier.before, edit.after, earlier.confidence)
        merged[edit.box] = edit
    approved = "" if edits else correction.approved
    return PageCorrection(list(merged.values()), approved, correction.turned)


def approval(page: PageText, approved: bool) -> str:
    """The mark of a text that a person has found to be right; empty where that is taken back."""
    return text_digest(page) if approved else ""
