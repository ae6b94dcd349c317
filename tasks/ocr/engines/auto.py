"""EasyOCR first; a page of which it is unsure is read again by RapidOCR, and the better of the two readings is kept."""

from pathlib import Path
from typing import TYPE_CHECKING

from tasks.ocr.engines import Engine, ReadPage, ReadWord, load_engine
from tasks.ocr.engines import prepared as engine_prepared
from tasks.ocr.engines.rapidocr import confidence

if TYPE_CHECKING:
    import numpy

SURE = 0.9
"""A word read with less confidence is doubtful."""

DOUBTFUL_SHARE = 0.01
"""A page with a larger share of letters in doubtful words is read again. Clean print stays below, worn print does not."""

COMPLETE = 0.9
ENOUGH = 0.85
"""The second reading is kept if it has this share of the first one's letters, and this mean confidence."""


class Auto:
    """Two engines; `ReadPage.engine` says whose reading was kept."""

    name = "auto"

    def __init__(self, first: Engine, second: Engine) -> None:
        self._engines = first, second

    def read(self, picture: "numpy.ndarray", page_side: int) -> ReadPage:
        """See Engine.read."""
        first, second = self._engines
        reading = first.read(picture, page_side)
        reading.engine = first.name
        if doubtful_share(reading.words) <= DOUBTFUL_SHARE:
            return reading
        again = second.read(picture, page_side)
        again.engine = second.name
        return again if _keeps(reading.words, again.words) else reading


def _keeps(words: list[ReadWord], again: list[ReadWord]) -> bool:
    """Whether the second reading is to be kept: it is sure enough of itself and has not lost text.

    The engines' confidences are not on one scale. Where EasyOCR doubts, RapidOCR's errors were a tenth of its own.
    """
    letters, letters_again = (sum(len(word.text) for word in reading) for reading in (words, again))
    return letters_again >= COMPLETE * letters and confidence(again) >= ENOUGH


def doubtful_share(words: list[ReadWord]) -> float:
    """The share of letters in doubtful words; 1 where nothing was read."""
    letters = sum(len(word.text) for word in words)
    return sum(len(word.text) for word in words if word.confidence < SURE) / letters if letters else 1.0


def prepared(languages: tuple[str, ...], models: Path) -> bool:
    """When EasyOCR is."""
    return engine_prepared("easyocr", languages, models)


def load(languages: tuple[str, ...], models: Path) -> Engine:
    """Both engines, loaded once for all that use them."""
    return Auto(load_engine("easyocr", languages, models), load_engine("rapidocr", languages, models))
