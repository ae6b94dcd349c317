"""Pixels an inch of a picture, across and down: those of a fax or a film frame are oblong."""

from typing import Any

from PIL import ExifTags, Image

IMAGE_DPI = 96.0
"""Taken for a picture that does not say; the resolution of a screen, from which most such pictures come."""

DPI_MIN, DPI_MAX = 50, 2400
"""Cameras and converters write 1 for "unknown" and 65535 by mistake."""

OBLONG_MAX = 4.0
"""The most oblong pixels in use, of a fax at 204 × 49 dpi, are 4.2 to 1; what goes beyond is a mistake."""

SQUARE_WITHIN = 0.01
"""Rounding: 200 × 201 pixels an inch are square."""


def density(image: Image.Image) -> tuple[float, float]:
    """Pixels an inch across and down, as the file says or as such files usually are."""
    given = _pair(image.info.get("dpi"))
    if given and all(DPI_MIN <= one <= DPI_MAX for one in given) and _plausible(given):
        return _squared(given)
    shape = _unitless(image)
    if shape and _plausible(shape):
        finest = max(shape)
        return _squared((IMAGE_DPI * shape[0] / finest, IMAGE_DPI * shape[1] / finest))
    return IMAGE_DPI, IMAGE_DPI


def square_size(size: tuple[int, int], density: tuple[float, float]) -> tuple[int, int]:
    """The size in square pixels, as many as the finer side has, so that nothing is lost."""
    finest = max(density)
    return max(1, round(size[0] * finest / density[0])), max(1, round(size[1] * finest / density[1]))


def display_density(image: Image.Image) -> tuple[float, float]:
    """`density` along the sides that the picture has once it is loaded.

    Asked before that: Pillow's `load` turns a TIFF upright, but not its resolution.
    """
    across, down = density(image)
    tags = getattr(image, "tag_v2", None)
    swapped = tags is not None and tags.get(ExifTags.Base.Orientation, 1) in (5, 6, 7, 8)
    return (down, across) if swapped else (across, down)


def _unitless(image: Image.Image) -> tuple[float, float] | None:
    """Shape of the pixels, which PNG, JPEG and TIFF may give in place of a resolution."""
    info = image.info
    if "aspect" in info:
        return _pair(info["aspect"])
    if info.get("jfif_unit") == 0:
        return _pair(info.get("jfif_density"))
    return _pair(info.get("resolution"))


def _pair(found: Any) -> tuple[float, float] | None:
    # Anything may stand in a file.
    try:
        across, down = found
        return float(across), float(down)
    except (TypeError, ValueError, ZeroDivisionError):
        return None


def _plausible(pair: tuple[float, float]) -> bool:
    low, high = min(pair), max(pair)
    return low > 0 and high / low <= OBLONG_MAX + 0.25


def _squared(pair: tuple[float, float]) -> tuple[float, float]:
    low, high = min(pair), max(pair)
    return (pair[0], pair[0]) if high / low <= 1 + SQUARE_WITHIN else pair
