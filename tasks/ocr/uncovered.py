"""Pictures that carry print where no word of the text layer stands: a scan behind a stamp, a scan pasted into a letter."""

from collections.abc import Sequence
from typing import TYPE_CHECKING

from tasks.ocr.page_pictures import SMALL, PagePicture
from tasks.ocr.words import Box, Word

if TYPE_CHECKING:
    import numpy

BLOCK_PT = 5.0
"""Side of the squares in which ink is looked for: half the height of small print."""

STANDS_OUT = 40
"""Grey levels within a square that make it inked."""

PRINT_BLOCKS = 24
"""Squares of ink that are worth reading: two short words."""

PAPER_WITHIN = 24
PAPER_SHARE = 0.4
"""Of a picture of print at least this share is paper, within so many grey levels of one tone; of a photo hardly any."""


def uncovered_pictures(
    pictures: Sequence[PagePicture],
    words: Sequence[Word],
    picture: "numpy.ndarray",
    scale: float,
    size: tuple[float, float],
) -> list[PagePicture]:
    """Those of `pictures` that carry print without words. `picture` is the page as rendered, `scale` its pixels a point."""
    import numpy

    free = numpy.ones(picture.shape, dtype=bool)
    for word in words:
        rows, columns = _pixels(_wider(word.box), scale)
        free[rows, columns] = False
    found = []
    for one in pictures:
        rows, columns = _pixels(one.box, scale)
        drawn = picture[rows, columns]
        if one.area >= SMALL * size[0] * size[1] and drawn.size and _is_print(drawn, free[rows, columns], scale):
            found.append(one)
    return found


def _is_print(drawn: "numpy.ndarray", free: "numpy.ndarray", scale: float) -> bool:
    import numpy

    tones = numpy.bincount(drawn.ravel()[:: max(1, drawn.size // 200_000)], minlength=256)
    paper = int(tones.argmax())
    near = tones[max(0, paper - PAPER_WITHIN) : paper + PAPER_WITHIN + 1].sum()
    if near < PAPER_SHARE * tones.sum():
        return False
    side = max(1, round(BLOCK_PT * scale))
    height, width = drawn.shape[0] // side * side, drawn.shape[1] // side * side
    blocks = drawn[:height, :width].reshape(height // side, side, width // side, side)
    inked = blocks.max(axis=(1, 3)).astype(int) - blocks.min(axis=(1, 3)) >= STANDS_OUT
    unworded = free[:height, :width].reshape(blocks.shape).all(axis=(1, 3))
    return int((inked & unworded).sum()) >= PRINT_BLOCKS


def _wider(box: Box) -> Box:
    """The box with half its height around it: ascenders, underlines and the skew of a scan belong to the word."""
    by = (box[3] - box[1]) / 2
    return box[0] - by, box[1] - by, box[2] + by, box[3] + by


def _pixels(box: Box, scale: float) -> tuple[slice, slice]:
    x0, y0, x1, y1 = (max(0, round(edge * scale)) for edge in box)
    return slice(y0, y1), slice(x0, x1)
