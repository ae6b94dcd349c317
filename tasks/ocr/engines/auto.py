"""RapidOCR first; a page of which it is unsure is read again by EasyOCR where that is ready, and the surer reading is kept.

Languages that RapidOCR's networks do not know are EasyOCR's alone.
"""

from importlib.util import find_spec
from pathlib import Path

from tasks.ocr.engines import Engine, ReadPage, ReadWord, Sheet, load_engine
from tasks.ocr.engines import prepared as engine_prepared
from tasks.ocr.engines.rapidocr import reads

SURE = 0.9
"""A word read with less confidence is doubtful."""

DOUBTFUL_SHARE = 0.1
"""A page with a larger share of letters in doubtful words is read again."""

COMPLETE = 0.9
"""The second reading is kept if it has this share of the first one's letters, and fewer of them in doubtful words."""


class Auto:
    """Two engines; `ReadPage.engine` names the one whose reading was kept."""

    name = "auto"

    def __init__(self, languages: tuple[str, ...], models: Path) -> None:
        self._languages = languages
        self._models = models
        self._first = load_engine("rapidocr", languages, models)

    def read(self, sheet: Sheet) -> ReadPage:
        """See Engine.read."""
        reading = self._first.read(sheet)
        reading.engine = self._first.name
        if not reading.words or doubtful_share(reading.words) <= DOUBTFUL_SHARE:
            return reading
        # A second opinion is worth a second, not the half minute that converting EasyOCR's networks takes.
        if not _installed() or not engine_prepared("easyocr", self._languages, self._models):
            return reading
        second = load_engine("easyocr", self._languages, self._models)
        again = second.read(sheet)
        again.engine = second.name
        return again if _is_surer(again.words, reading.words) else reading


def _is_surer(again: list[ReadWord], words: list[ReadWord]) -> bool:
    letters, letters_again = (sum(len(word.text) for word in reading) for reading in (words, again))
    return letters_again >= COMPLETE * letters and doubtful_share(again) < doubtful_share(words)


def doubtful_share(words: list[ReadWord]) -> float:
    """The share of letters in doubtful words; 1 where nothing was read."""
    letters = sum(len(word.text) for word in words)
    return sum(len(word.text) for word in words if word.confidence < SURE) / letters if letters else 1.0


def _installed() -> bool:
    return find_spec("easyocr") is not None


def prepared(languages: tuple[str, ...], models: Path) -> bool:
    """Always, where RapidOCR reads the languages; else when EasyOCR is."""
    return reads(languages) or engine_prepared("easyocr", languages, models)


def load(languages: tuple[str, ...], models: Path) -> Engine:
    """Both engines, or EasyOCR alone."""
    return Auto(languages, models) if reads(languages) else load_engine("easyocr", languages, models)
