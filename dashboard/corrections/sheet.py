"""A page as it is shown: its picture turned upright with its words over it, and the same words as lines of text."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import groupby

from service.documents.corrections.readings import DocumentPage
from tasks.ocr.confidence import is_unsure
from tasks.ocr.words import Box, Word

WORDS_MAX = 4_000
"""Words that a browser is sent: the densest page of a newspaper has some 3,000."""


@dataclass(frozen=True)
class ShownWord:
    """A word with its place on the picture: left, top, width and height in points."""

    order: int
    text: str
    doubtful: bool
    corrected: bool
    sure: int
    """Confidence in per cent."""
    x: float
    y: float
    width: float
    height: float
    typed: str = ""
    """Text that a person sent and that was not applied; empty otherwise."""

    @property
    def letters(self) -> int:
        """Width of its field in characters."""
        return min(40, max(3, len(self.typed or self.text) + 1))


@dataclass(frozen=True)
class ShownLine:
    """A line of the page."""

    number: int
    words: Sequence[ShownWord]

    @property
    def text(self) -> str:
        return " ".join(word.text for word in self.words)

    @property
    def doubtful(self) -> bool:
        return any(word.doubtful for word in self.words)


@dataclass(frozen=True)
class Sheet:
    """A page for a template. `width` and `height` are those of the picture turned upright, in points."""

    page: DocumentPage
    turn: int
    """Degrees by which the picture is turned clockwise."""
    width: float
    height: float
    lines: Sequence[ShownLine]
    left_out: int
    """Words beyond WORDS_MAX."""

    @property
    def words(self) -> list[ShownWord]:
        return [word for line in self.lines for word in line.words]

    @property
    def doubtful_words(self) -> int:
        return sum(word.doubtful for word in self.words)


def sheet_of(page: DocumentPage, typed: Mapping[int, str] | None = None) -> Sheet:
    """A page as it is shown. `typed` is what a person sent, by the word's number, and that was not applied."""
    read = page.read
    if read is None:
        return Sheet(page, 0, 0, 0, [], 0)
    turn = read.rotation
    size = (read.width, read.height)
    shown = read.words[:WORDS_MAX]
    lines = [
        ShownLine(number, [_word(word, size, turn, read.engine, (typed or {}).get(word.order, "")) for word in words])
        for number, words in groupby(shown, key=lambda word: word.line)
    ]
    width, height = size if turn in (0, 180) else size[::-1]
    return Sheet(page, turn, width, height, lines, len(read.words) - len(shown))


def _word(word: Word, size: tuple[float, float], turn: int, engine: str | None, typed: str) -> ShownWord:
    x0, y0, x1, y1 = turned_box(word.box, size, turn)
    corrected = word.corrected is True
    doubtful = not corrected and is_unsure(word, engine)
    x, y, width, height = (round(number, 2) for number in (x0, y0, x1 - x0, y1 - y0))
    return ShownWord(
        word.order, word.text, doubtful, corrected, round(100 * word.confidence), x, y, width, height, typed
    )


def turned_box(box: Box, size: tuple[float, float], turn: int) -> Box:
    """A box of a page of `size` where it lies once the page is turned clockwise."""
    x0, y0, x1, y1 = box
    width, height = size
    match turn:
        case 90:
            return height - y1, x0, height - y0, x1
        case 180:
            return width - x1, height - y1, width - x0, height - y0
        case 270:
            return y0, width - x1, y1, width - x0
        case _:
            return box
