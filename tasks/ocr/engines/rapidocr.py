"""RapidOCR's PP-OCRv6 networks on OpenVINO: Latin, Chinese and Japanese writing."""

from pathlib import Path
from typing import TYPE_CHECKING

from tasks.ocr.engines import Engine, ReadPage, ReadWord, Sheet

if TYPE_CHECKING:
    import numpy

    from tasks.ocr.ppocr.networks import Networks

LINE_HEIGHT = 16.0
"""Pixels; where the lower quarter of lines is less high in the picture in which they were seen, some are missed, and
lines are looked for again in a larger one."""

WANTED_HEIGHT = 20.0
"""Pixels of such lines in the larger picture; measured, more finds nothing more."""

MOST_PIXELS = 1_900_000
"""Of the larger picture: 1,640 × 1,160 of an A4 page. Twice as many take 400 MB more."""

UNSEEN = 2.0
"""Times by which the picture is larger where no line was seen at all."""


class RapidOcr:
    """Finds lines at the smallest scale that shows them all, and reads them in batches."""

    name = "rapidocr"

    def __init__(self, networks: "Networks", letters: frozenset[str] | None) -> None:
        self._networks = networks
        self._letters = letters

    def read(self, sheet: Sheet) -> ReadPage:
        """See Engine.read."""
        from tasks.ocr.ppocr.reader import box_of, read_lines

        lines = read_lines(self._networks, sheet.picture, self._lines(sheet), self._letters)
        return ReadPage(
            [ReadWord(word.text, box_of(line, word), word.confidence) for line in lines for word in line.words]
        )

    def _lines(self, sheet: Sheet) -> "numpy.ndarray":
        from tasks.ocr.ppocr.reader import located

        scale = wanted_scale(sheet)
        return located(self._networks, sheet.picture, scale) if scale > sheet.scale else sheet.lines


def wanted_scale(sheet: Sheet) -> float:
    """The scale at which all lines of a sheet are seen; that at which they were seen where it is large enough."""
    import numpy

    most = (MOST_PIXELS / max(1, sheet.picture.size)) ** 0.5
    if not len(sheet.lines):
        return min(most, UNSEEN * sheet.scale)
    low = float(numpy.percentile(sheet.lines[:, 2:4].min(axis=1), 25)) * sheet.scale
    return sheet.scale if low >= LINE_HEIGHT else min(most, sheet.scale * WANTED_HEIGHT / max(1.0, low))


def prepared(languages: tuple[str, ...], models: Path) -> bool:
    """Always: there is nothing to convert."""
    return True


def load(languages: tuple[str, ...], models: Path) -> Engine:
    """One thread, as for the other engines."""
    from tasks.ocr.ppocr.alphabet import letters_of
    from tasks.ocr.ppocr.networks import networks

    return RapidOcr(networks(), letters_of(languages))


def reads(languages: tuple[str, ...]) -> bool:
    """True where its networks know the writing of all these languages."""
    from tasks.ocr.ppocr.alphabet import LANGUAGES

    return all(language in LANGUAGES for language in languages)
