"""From a clean grey page to its words in reading order: which way up it lies, then what it says."""

from dataclasses import dataclass
from typing import TYPE_CHECKING

from tasks.ocr.engines import Engine, Sheet
from tasks.ocr.words import Word

if TYPE_CHECKING:
    import numpy


@dataclass
class Read:
    """Words with boxes in the page's pixels, as displayed; how the page lay; how far its words are to be trusted."""

    words: list[Word]
    engine: str
    quarter_turns: int
    skew: float
    confidence: float
    doubt: str | None


def read_upright(picture: "numpy.ndarray", engine: Engine) -> Read:
    """Read a grey page, dark on light, whichever way up it lies."""
    import numpy

    from tasks.ocr.deskew import set_upright
    from tasks.ocr.direction import direction
    from tasks.ocr.ink import Ink
    from tasks.ocr.ppocr.networks import networks
    from tasks.ocr.reading_order import reading_order
    from tasks.ocr.skew import refined

    ink = Ink(picture)
    lies = direction(networks(), picture)
    skew = refined(numpy.rot90(ink.mask, -lies.quarter_turns), lies.skew) if len(lies.boxes) else 0.0
    upright = set_upright(picture, lies.quarter_turns, skew, ink.box())
    found = engine.read(Sheet(upright.picture, max(picture.shape), upright.from_page(lies.boxes), lies.scale))
    words = [Word(word.text, word.box, round(word.confidence, 4), "ocr") for word in found.words]
    # Lines and columns are those of the upright picture; the boxes given out are those of the page as displayed.
    words = reading_order(words)
    for word in words:
        word.box = upright.on_page(word.box)
    letters = sum(len(word.text) for word in words)
    mean = sum(word.confidence * len(word.text) for word in words) / letters if letters else 0.0
    return Read(words, found.engine or engine.name, lies.quarter_turns, upright.skew, round(mean, 4), None)
