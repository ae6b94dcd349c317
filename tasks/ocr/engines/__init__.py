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
"""Module in which each engine's `load(languages, models)` and `prepared(languages, models)` live."""


@dataclass
class ReadWord:
    """A word as an engine saw it: `box` in pixels of the picture it was given, confidence 0 to 1."""

    text: str
    box: Box
    confidence: float


@dataclass
class Sheet:
    """A page to be read: a grey picture (uint8, height × width), dark on light, upright, its lines level."""

    picture: "numpy.ndarray"
    page_side: int
    """Longest side, in pixels, of the page from which it was cut: type is small or large by the page."""
    lines: "numpy.ndarray"
    """Lines seen so far: `ppocr.boxes` in the picture's pixels, not all of them where type is small."""
    scale: float
    """Scale of the picture in which they were seen."""


@dataclass
class ReadPage:
    """The words of a sheet, in any order; `engine` names the one that read them, where there are several."""

    words: list[ReadWord]
    engine: str | None = None
    alphabet: frozenset[str] | None = None
    """Letters that the engine can give; None where it knows all that are looked for elsewhere."""


class Engine(Protocol):
    """Reads a picture."""

    name: str

    def read(self, sheet: Sheet) -> ReadPage:
        """The words of an upright page."""
        ...


class NotPrepared(Exception):
    """An engine's networks have not been converted on this machine yet."""


def prepared(name: str, languages: tuple[str, ...], models: Path) -> bool:
    """True where `load_engine` will take a second and not a minute."""
    return importlib.import_module(ENGINES[name]).prepared(languages, models)


@cache
def load_engine(name: str, languages: tuple[str, ...], models: Path) -> Engine:
    """The engine called `name` for `languages` (EasyOCR's codes); `models` is the folder of converted networks."""
    return importlib.import_module(ENGINES[name]).load(languages, models)
