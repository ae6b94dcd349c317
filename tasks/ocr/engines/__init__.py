"""OCR engines behind one interface, one file each. A child loads an engine once and keeps it."""

import importlib
from dataclasses import dataclass
from functools import cache
from typing import TYPE_CHECKING, Protocol

from tasks.ocr.words import Box

if TYPE_CHECKING:
    import numpy

ENGINES = {"easyocr": "tasks.ocr.engines.easyocr_torch"}
"""Where each engine's `load(languages, models)` lives."""


@dataclass
class ReadWord:
    """A word as an engine saw it: `box` in pixels of the picture it was given, confidence 0 to 1."""

    text: str
    box: Box
    confidence: float


class Engine(Protocol):
    """Reads a picture."""

    name: str

    def read(self, picture: "numpy.ndarray") -> list[ReadWord]:
        """The words of a grey picture (uint8, height × width), in any order."""
        ...


@cache
def load_engine(name: str, languages: tuple[str, ...], models: str) -> Engine:
    """The engine called `name` for `languages` (EasyOCR's codes); `models` is the folder of converted networks."""
    return importlib.import_module(ENGINES[name]).load(languages, models)
