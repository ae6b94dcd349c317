"""The shape of what was read: the objects in `pages.json`.

Boxes are (left, top, right, bottom) in points (1/72 inch), measured from the top left corner of the page as a viewer
displays it: the page's own /Rotate is applied, a sideways scan is not turned.
"""

from typing import Literal

import msgspec

Source = Literal["text-layer", "ocr", "blank"]
Box = tuple[float, float, float, float]


class Word(msgspec.Struct):
    """One word. `order` counts through the page in reading order; `line` and `block` number its line and paragraph."""

    text: str
    box: Box
    confidence: float
    """0 to 1; 1 for a word taken from the text layer."""
    source: Source
    order: int = 0
    line: int = 0
    block: int = 0
    corrected: bool | msgspec.UnsetType = msgspec.UNSET
    """True for a word that a person wrote or confirmed; absent otherwise."""


class PageText(msgspec.Struct):
    """One page as read. `width` and `height` are in points."""

    page: int
    """Counted from 1."""
    width: float
    height: float
    source: Source
    words: list[Word]
    text: str = ""
    confidence: float = 1.0
    """Expected share of the page's words that were read rightly, 0 to 1; 1 for a text layer and for a blank page."""
    doubtful: bool = False
    """True where a person should look at the page before its text is relied on."""
    doubt: str | None = None
    """The reason in one sentence; None unless `doubtful`."""
    engine: str | None = None
    """Name of the engine that read the page; None unless `source` is "ocr"."""
    rotation: int = 0
    """Degrees (0, 90, 180 or 270) by which the picture had to be turned clockwise to be upright."""
    skew: float = 0.0
    """Degrees by which its lines ran downhill (negative: uphill) once upright."""


def encode(page: PageText) -> bytes:
    """A page as it stands in `pages.json`."""
    return msgspec.json.encode(page)


def decode(data: bytes) -> PageText:
    """The inverse of `encode`."""
    return msgspec.json.decode(data, type=PageText)
