"""Check of an invisible text layer against its picture, by reading a line or two of it."""

from collections.abc import Sequence
from dataclasses import dataclass
from difflib import SequenceMatcher

from tasks.ocr.words import Box, Word

LINES = 2
"""Lines that are read: one may be a signature or a letterhead in a strange type."""

SURE = 0.6
"""A word read with less confidence says nothing against the layer."""

LETTERS = 8
"""Letters of sure words that a verdict takes: a picture that can hardly be read proves nothing."""

ALIKE = 0.7
"""Likeness of two spellings of one word, each perhaps with an error of reading."""

BORNE_OUT = 0.4
"""Share of the letters read that the layer must have: a layer of a poor reading has half, gibberish next to none."""


@dataclass
class Band:
    """A strip of the page, and the words that the layer has there."""

    box: Box
    words: list[str]


def band_of(words: Sequence[Word]) -> Band:
    """The strip of the line with the most letters and the one under it."""
    longest = max(_lines(words), key=lambda line: sum(len(word.text) for word in line))
    top = min(word.box[1] for word in longest)
    height = max(word.box[3] for word in longest) - top
    bottom = top + LINES * 1.5 * height
    chosen = [word for word in words if top <= (word.box[1] + word.box[3]) / 2 <= bottom]
    x0, x1 = min(word.box[0] for word in chosen), max(word.box[2] for word in chosen)
    y1 = max(word.box[3] for word in chosen)
    margin = height / 2
    box = max(0.0, x0 - margin), max(0.0, top - margin), x1 + margin, y1 + margin
    # A scan is seldom laid quite where its words are.
    near = [word.text for word in words if box[1] - height <= word.box[1] and word.box[3] <= box[3] + height]
    return Band(box, near)


def _lines(words: Sequence[Word]) -> list[list[Word]]:
    """Words whose middles lie in one another's height, in the order of the file."""
    lines: list[list[Word]] = []
    for word in words:
        middle = (word.box[1] + word.box[3]) / 2
        if lines and lines[-1][0].box[1] <= middle <= lines[-1][0].box[3]:
            lines[-1].append(word)
        else:
            lines.append([word])
    return lines


def belongs(band: Band, read: Sequence[Word]) -> bool:
    """Return whether what was read in the band bears out the layer, or at least does not contradict it."""
    sure = [word.text.lower() for word in read if word.confidence >= SURE and len(word.text) > 1]
    letters = sum(len(text) for text in sure)
    if letters < LETTERS:
        return True
    own = {text.lower() for text in band.words}
    found = sum(len(text) for text in sure if text in own or any(_alike(text, other) for other in own))
    return found >= BORNE_OUT * letters


def _alike(one: str, other: str) -> bool:
    return SequenceMatcher(None, one, other).ratio() >= ALIKE
