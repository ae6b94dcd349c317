"""Words in reading order as text."""

from collections.abc import Sequence
from itertools import groupby

from tasks.ocr.words import Word

PAGE_BREAK = "\f"
"""Ends a page in text.txt, as in the output of pdftotext."""


def assemble(words: Sequence[Word]) -> str:
    """One line of text a line, an empty line between blocks. `words` are in reading order."""
    blocks = (
        "\n".join(" ".join(word.text for word in line) for _, line in groupby(block, key=lambda word: word.line))
        for _, block in groupby(words, key=lambda word: word.block)
    )
    return "\n\n".join(blocks)
