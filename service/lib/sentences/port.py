"""`Translated`: the port by which tasks write to people in their language."""

import asyncio
from collections.abc import Callable, Sequence
from typing import TypeVar

from service.lib.languages import LANGUAGES, in_language
from service.lib.sentences.recogniser import prepare, shown

T = TypeVar("T")


class Translated:
    """Implements tasks.ports.sentences.Sentences."""

    @property
    def languages(self) -> Sequence[str]:
        """Codes of the languages; English is the first."""
        return list(LANGUAGES)

    async def in_language(self, language: str, write: Callable[[Callable[[str], str]], T]) -> T:
        """Result of `write`, which gets a function that shows a sentence in the language; an unknown one is English."""
        # The first use in a process reads the catalogue, which would hold up the worker's loop.
        await asyncio.to_thread(prepare, language)
        with in_language(language):
            return write(shown)
