"""OCR engines behind one interface, one file each. A child loads an engine once and keeps it."""

import importlib
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Protocol

from tasks.ocr.words import Box

if TYPE_CHECKING:
    import numpy

ENGINES = {
    "easyocr": "tasks.ocr.engines.easyocr",
    "rapidocr": "tasks.ocr.engines.rapidocr",
    "auto": "tasks.ocr.engines.auto",
}
"""Where each engine's `load(languages, models)` and `prepared(languages, models)` live."""


@dataclass
class ReadWord:
    """A word as an engine saw it: `box` in pixels of the picture it was given, confidence 0 to 1."""

    text: str
    box: Box
    confidence: float


@dataclass
class ReadPage:
    """What an engine read. If it found the picture `upside_down`, the boxes are those of the picture turned round."""

    words: list[ReadWord]
    upside_down: bool = False
    engine: str | None = None
    """Whose reading it is, where an engine has several to choose from."""


class Engine(Protocol):
    """Reads a picture."""

    name: str

    def read(self, picture: "numpy.ndarray", page_side: int) -> ReadPage:
        """The words, in any order, of a grey picture (uint8, height × width) whose lines are level.

        `page_side` is the longest side, in pixels, of the page it was cut from: type is small or large by the page.
        """
        ...


class NotPrepared(Exception):
    """An engine's networks have not been converted on this machine yet."""


def prepared(name: str, languages: tuple[str, ...], models: Path) -> bool:
    """Whether `load_engine` will take a second and not a minute."""
    return importlib.import_module(ENGINES[name]).prepared(languages, models)


@cache
def load_engine(name: str, languages: tuple[str, ...], models: Path) -> Engine:
    """The engine called `name` for `languages` (EasyOCR's codes); `models` is the folder of converted networks."""
    return importlib.import_module(ENGINES[name]).load(languages, models)
