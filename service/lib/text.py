"""Sentences for people, out of what an exception says; and the one character that no text may hold."""

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
