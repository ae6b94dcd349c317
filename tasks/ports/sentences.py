"""Port of sentences: those that a task writes to people, in the languages that they read."""

from collections.abc import Callable, Sequence
from typing import Protocol, TypeVar

T = TypeVar("T")


class Sentences(Protocol):
    """Sentences are made in English, and shown in another language by their form."""

    @property
    def languages(self) -> Sequence[str]:
        """Codes of the languages; English is the first."""
        ...

    async def in_language(self, language: str, write: Callable[[Callable[[str], str]], T]) -> T:
        """Result of `write`, which gets a function that shows a sentence in the language; an unknown one is English."""
        ...
