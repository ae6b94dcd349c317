"""Recognition of sentences that were made in English, and their translation with the values that they hold.

What is stored stays English: a job's message, an error, a line of the audit log. Where a person reads it in another language,
it is looked up by its form: `Reading page 3 of 500` is `Reading page {page} of {total}`. A text that fits no message is shown
as it is, such as one of a package of other makers, and of several that fit, the one with the most text of its own counts.
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache, lru_cache
from typing import cast

from service.lib.languages import ENGLISH, LANGUAGES, catalogues, reader

CHARACTERS_MAX = 2_000
"""Longer texts are traces or documents, not sentences."""

OWN_LETTERS = 5
"""Letters that a message has besides its values: with fewer, anything would fit it."""

AMOUNT_LETTERS = 3
"""Likewise for a message whose values are all amounts, such as `{count_number} job`."""

DEPTH_MAX = 4
"""Sentences within sentences that are looked at."""

HOLE = re.compile(r"\{(\w+)\}")

AMOUNT = re.compile(r"[-+≈~<>≤≥]?\d[\d,.]*(-\d+)?( ?[%a-zA-Zµ]+)?( \d[\d.,]* ?[a-z]+)*")

NUMBER = re.compile(r"(?<![\d.,])(?:\d{1,3}(?:,\d{3})+(?:\.\d+)?|\d+\.\d{1,2})(?![\d.,]*\d)")
"""A number as English writes it, and only English: a page formats its own in the reader's language, such as 1.200."""

MARKS: Mapping[str, Mapping[int, int]] = {"de": str.maketrans(",.", ".,")}
"""Decimal marks and separators of thousands of a language, for those of English."""

AMOUNTS = ("_number", "_size", "_duration", "_rate")
"""Ends of the names of values that are amounts, whose marks are the language's own."""

PHRASES = frozenset(
    {
        "why",
        "sentence",
        "error",
        "problem",
        "detail",
        "message",
        "note",
        "state",
        "status",
        "kind",
        "how",
        "end",
        "value",
        "allows",
        "limits",
    }
)
"""Names of values that may be sentences or phrases of the catalogue themselves."""

PHRASE = "_phrase"
"""End of the name of such a value."""

ENDS = (".", "!", "?", "…")

FIELD = re.compile(r"[a-z_][\w.\[\]-]*: ")
"""The name of a field before the sentence about it."""

SENTENCE_END = re.compile(r"(?<=[.!?]) (?=[A-Z])")


@dataclass(frozen=True)
class Pattern:
    """A message as text and values in turn: the texts are one more than the names."""

    message: str
    texts: tuple[str, ...]
    names: tuple[str, ...]
    translation: str

    @property
    def own(self) -> int:
        """Characters that are the message's own."""
        return sum(map(len, self.texts))

    def values(self, text: str) -> dict[str, str] | None:
        """The values in a text of this form; None for any other. A first letter may be a capital one."""
        first, *rest = self.texts
        if not _begins(text, first):
            return None
        at, found = len(first), []
        for place, literal in enumerate(rest):
            last = place == len(rest) - 1
            end = len(text) - len(literal) if last else text.find(literal, at + 1)
            if end <= at or (last and not text.endswith(literal)):
                return None
            found.append(text[at:end])
            at = end + len(literal)
        if at != len(text):
            return None
        pairs = list(zip(self.names, found, strict=True))
        if any(name.endswith(AMOUNTS) and not AMOUNT.fullmatch(value) for name, value in pairs):
            return None
        return dict(pairs)


def _begins(text: str, first: str) -> bool:
    return text.startswith(first) or (text[:1].lower() == first[:1].lower() and text[1:].startswith(first[1:]))


def pattern(message: str, translation: str) -> Pattern | None:
    """The pattern of a message; None for one that anything would fit, or where two values follow each other."""
    pieces = HOLE.split(message)
    texts = tuple(piece.replace("{{", "{").replace("}}", "}") for piece in pieces[::2])
    names = tuple(pieces[1::2])
    needed = OWN_LETTERS if any(not name.endswith(AMOUNTS) for name in names) else AMOUNT_LETTERS
    if not all(texts[1:-1]) or (names and sum(map(str.isalpha, "".join(texts))) < needed):
        return None
    return Pattern(message, texts, names, translation)


class Recogniser:
    """The messages of a language, by the words that they begin with."""

    def __init__(self, language: str, translations: Mapping[str, str]) -> None:
        self.language = language
        self._whole: dict[str, str] = {}
        folded: dict[str, str] = {}
        self._by_word: dict[str, list[Pattern]] = {}
        self._open: list[tuple[str, Pattern]] = []
        for message, translation in translations.items():
            one = pattern(_bare(message), _bare(translation))
            if one is None:
                continue
            if not one.names:
                # `Resolved` and `resolved` are two messages; where there is one of them, it serves for both.
                self._whole[one.texts[0]] = one.translation
                folded.setdefault(_key(one.texts[0]), one.translation)
            elif (word := _first_word(one.texts[0])) is not None:
                self._by_word.setdefault(word, []).append(one)
            else:
                self._open.append((max(one.texts[1:], key=len), one))
        self._whole = folded | self._whole
        for patterns in self._by_word.values():
            patterns.sort(key=lambda one: -one.own)
        self._open.sort(key=lambda pair: -pair[1].own)

    def find(self, text: str) -> tuple[Pattern, dict[str, str]] | None:
        """The message with the most text of its own that fits a text, without its full stop, and the values."""
        candidates = self._by_word.get(_first_word(text + " ") or "", [])
        found = next(((one, values) for one in candidates if (values := one.values(text)) is not None), None)
        for longest, one in self._open:
            if found is not None and one.own <= found[0].own:
                break
            if longest in text and (values := one.values(text)) is not None:
                return one, values
        return found

    def translated(self, text: str, depth: int = 0) -> str | None:
        """The text in the language; None where no message fits it."""
        if depth > DEPTH_MAX or len(text) > CHARACTERS_MAX or not text.strip():
            return None
        bare = _bare(text)
        ending = text[len(bare) :]
        whole = self._whole.get(bare) or self._whole.get(_key(bare))
        if whole is not None:
            return _as(text, whole) + ending
        found = self.find(bare)
        if found is None or (FIELD.match(bare) and not FIELD.match(found[0].texts[0])):
            # `limit: The body must be …` is a sentence about a field before it is `{name} must be {choices}`; where the message
            # itself begins so (`started: worker of {queue}`), it counts.
            pieces = self._pieces(text, depth)
            if pieces is not None or found is None:
                return pieces
        one, values = found
        shown = {name: self._value(name, value, depth) for name, value in values.items()}
        return _as(text, HOLE.sub(lambda hole: shown.get(hole[1], hole[0]), one.translation), one) + ending

    def _value(self, name: str, value: str, depth: int) -> str:
        plain = name.rstrip("0123456789")
        if plain.endswith(AMOUNTS):
            marks = MARKS.get(self.language, {})
            return NUMBER.sub(lambda found: found[0].translate(marks), value)
        if plain in PHRASES or plain.endswith(PHRASE):
            return self.translated(value, depth + 1) or value
        return value

    def _pieces(self, text: str, depth: int) -> str | None:
        """Sentences after each other, phrases between semicolons, or one after the name of a field: all of them, or none."""
        for pieces, joint in ((SENTENCE_END.split(text), " "), (text.split("; "), "; ")):
            if len(pieces) > 1:
                shown = [self.translated(piece, depth + 1) for piece in pieces]
                if all(one is not None for one in shown):
                    return joint.join(cast(list[str], shown))
        if field := FIELD.match(text):
            rest = self.translated(text[field.end() :], depth + 1)
            return None if rest is None else field[0] + rest
        return None


def _bare(text: str) -> str:
    return text[:-1] if text.endswith(".") and not text.endswith("..") else text


def _key(text: str) -> str:
    return text[:1].lower() + text[1:]


def _first_word(text: str) -> str | None:
    """The first word of a text, where it is whole."""
    word, blank, _ = text.partition(" ")
    return word.lower() if blank and word else None


def _as(text: str, translation: str, one: Pattern | None = None) -> str:
    """The translation, with a capital where the text has one that its message lacks."""
    message = one.texts[0] if one is not None else ""
    if text[:1].isupper() and translation[:1].islower() and (one is None or message[:1].islower()):
        return translation[:1].upper() + translation[1:]
    return translation


@cache
def recogniser(language: str) -> Recogniser:
    """The recogniser of a language, made of its catalogues."""
    found: dict[str, str] = {}
    for catalogue in catalogues(language):
        for message in catalogue:
            if message.id and isinstance(message.id, str) and isinstance(message.string, str) and message.string:
                found.setdefault(message.id, message.string)
    return Recogniser(language, found)


def prepare(*languages: str) -> None:
    """Read the catalogues of these languages now, or of all: at the first sentence it would hold up the event loop."""
    for language in languages or LANGUAGES:
        if language != ENGLISH and language in LANGUAGES:
            recogniser(language)


@lru_cache(maxsize=8192)
def _shown(text: str, language: str) -> str:
    return recogniser(language).translated(text) or text


def shown(text: str) -> str:
    """A sentence that was made in English, in the current language; itself where it is not one of Offload's."""
    current = reader()
    current.consulted = True
    return text if current.language == ENGLISH or not text else _shown(text, current.language)


def shown_or_none(text: str | None) -> str | None:
    """As `shown`, for what may be missing."""
    return shown(text) if text else text
