"""Sentences for people, out of what an exception says; the one character that no text may hold; and names that look alike."""

import unicodedata
from collections.abc import Sequence

NUL = "\0"
"""PostgreSQL keeps no text with it, so no text that is sent here may have it, whatever the database."""


def with_stop(words: str) -> str:
    """With a full stop. What it begins with stays: it may be the name of a file or of a field."""
    return words if words.endswith((".", "!", "?", "…")) else f"{words}."


def listed(names: Sequence[str]) -> str:
    """Names as a sentence lists them: "a", "a and b", "a, b and c"."""
    return " and ".join([", ".join(names[:-1]), names[-1]] if len(names) > 1 else names)


def as_sentence(words: str) -> str:
    """With a capital too: only for messages that are known to begin with a word of ours."""
    return with_stop(words[:1].upper() + words[1:])


def skeleton(name: str) -> str:
    """The same text for names that a reader takes for one: their case, width and way of composing letters are left out."""
    return unicodedata.normalize("NFKC", unicodedata.normalize("NFKC", name).casefold())


def alphabets(name: str) -> set[str]:
    """Those of Latin, Greek and Cyrillic, which share the shapes of letters, that its letters are of.

    Unicode Technical Standard 39, section 5.1, takes a word of several alphabets for one that is to be mistaken.
    """
    words = (unicodedata.name(letter, "").split(" ")[0] for letter in name if letter.isalpha())
    return {word.capitalize() for word in words} & {"Latin", "Greek", "Cyrillic"}
