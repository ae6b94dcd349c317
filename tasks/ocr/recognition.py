"""From a clean grey page to its words in reading order: which way up it lies, then what it says."""

from dataclasses import dataclass
from statistics import median
from typing import TYPE_CHECKING

from tasks.ocr.confidence import doubt, page_confidence, share_lacking, without_guesses
from tasks.ocr.engines import Engine, Sheet
from tasks.ocr.words import Word

if TYPE_CHECKING:
    import numpy


SLANTED = "The lines run at a slant of about 45°: words may be out of order."


@dataclass
class Read:
    """Words with boxes in the page's pixels, as displayed; how the page lay; how far its words are to be trusted."""

    words: list[Word]
    engine: str
    quarter_turns: int
    skew: float
    confidence: float
    doubt: str | None


def read_upright(picture: "numpy.ndarray", engine: Engine, turned: int | None = None) -> Read:
    """Read a grey page, dark on light, whichever way up it lies: after `turned` quarter turns where a person has set them."""
    import numpy

    from tasks.ocr.deskew import set_upright
    from tasks.ocr.direction import direction
    from tasks.ocr.ink import Ink
    from tasks.ocr.ppocr.networks import networks
    from tasks.ocr.reading_order import reading_order
    from tasks.ocr.skew import refined

    ink = Ink(picture)
    lies = direction(networks(), picture, turned)
    skew = refined(numpy.rot90(ink.mask, -lies.quarter_turns), lies.skew) if len(lies.boxes) else 0.0
    upright = set_upright(picture, lies.quarter_turns, skew, ink.box())
    found = engine.read(Sheet(upright.picture, max(picture.shape), upright.from_page(lies.boxes), lies.scale))
    words = [Word(word.text, word.box, round(word.confidence, 4), "ocr") for word in found.words]
    # Lines and columns are those of the upright picture; the boxes given out are those of the page as displayed.
    words = reading_order(words)
    for word in words:
        word.box = upright.on_page(word.box)
    name = found.engine or engine.name
    unread = ink.unread([word.box for word in words], line_height(words))
    lacking = share_lacking(lies.words, found.alphabet)
    reason = doubt(words, unread, ink.share, name, lacking, lies.lines)
    if lies.slanted and reason is None:
        reason = SLANTED
    sure = page_confidence(words, unread, name, lacking)
    return Read(without_guesses(words, name), name, lies.quarter_turns, upright.skew, sure, reason)


def line_height(words: list[Word]) -> float:
    """The height of the page's lines in its pixels, at the median of its words; 0 for none. Words may stand on end."""
    return median(min(word.box[2] - word.box[0], word.box[3] - word.box[1]) for word in words) if words else 0.0
