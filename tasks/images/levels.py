"""Pictures of more than 8 bits a channel, brought down to 8 by their own levels."""

from typing import TYPE_CHECKING

from PIL import Image

if TYPE_CHECKING:
    import numpy

DEEP_MODES = ("I;16", "I;16B", "I;16L", "I;16N", "I", "F")
"""Pillow's modes of one channel whose values go beyond 255, or below 1."""

DEPTHS = (8, 10, 12, 14, 15, 16, 24, 31, 32)
"""Bits that cameras and scanners give a value; they store 12 in 16 and leave the top ones 0."""

BAND_PIXELS = 4_000_000
"""Pixels converted at a time: as numbers of 8 bytes they take 32 MB."""

MIN_IS_WHITE = 0
PHOTOMETRIC = 262
"""TIFF tag; Pillow turns pictures of 0 = white round in its modes of 8 bits only."""

Levels = tuple[float, float]
"""The values that become black and white. White is the lower one in a negative."""


def levels(image: Image.Image) -> Levels:
    """The levels of a loaded picture in one of DEEP_MODES.

    Whole numbers have the depth that their largest needs, so 12 bits in 16 are not black. Fractions, and numbers below
    0, are measurements without a white of their own: their extremes are taken.
    """
    import numpy

    low, high = numpy.inf, -numpy.inf
    for top in range(0, image.height, _rows(image)):
        values = _values(image.crop((0, top, image.width, min(image.height, top + _rows(image)))))
        finite = values[numpy.isfinite(values)]
        if finite.size:
            low, high = min(low, float(finite.min())), max(high, float(finite.max()))
    if low > high:
        return 0.0, 1.0
    if low < 0 or image.mode == "F":
        # One even tone is paper.
        found = (low, high) if high > low else (low - 1.0, high)
    else:
        found = 0.0, float(next((1 << bits) - 1 for bits in DEPTHS if high < 1 << bits))
    negative = getattr(image, "tag_v2", {}).get(PHOTOMETRIC) == MIN_IS_WHITE
    return (found[1], found[0]) if negative else found


def eight_bits(image: Image.Image, black_white: Levels) -> Image.Image:
    """A picture, or a band of one, in one of DEEP_MODES as mode L. What is not a number becomes black."""
    import numpy

    black, white = black_white
    values = numpy.nan_to_num(_values(image), nan=black, posinf=max(black, white), neginf=min(black, white))
    grey = (values - black) * (255.0 / (white - black)) + 0.5
    return Image.fromarray(grey.clip(0, 255).astype(numpy.uint8))


def _rows(image: Image.Image) -> int:
    return max(1, BAND_PIXELS // image.width)


def _values(image: Image.Image) -> "numpy.ndarray":
    import numpy

    # Big-endian numbers cannot be reduced, mapped or measured by Pillow.
    return numpy.asarray(image.convert("I") if image.mode.startswith("I;16") else image, dtype=numpy.float64)
