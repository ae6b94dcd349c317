"""TIFF files whose numbers Pillow cannot read: half and double floats, 64 bits, colours of floats or 32 bits."""

from pathlib import Path
from typing import Any

from PIL import Image

from tasks.images.errors import BadPicture

ARRAY_MAX_BYTES = 512 << 20
"""A picture's numbers in memory."""

INCH_UNITS = {2: 1.0, 3: 2.54}
"""Resolution units (TIFF 6.0, ResolutionUnit) in inches."""


def is_tiff(path: Path) -> bool:
    """Return whether the file begins like a TIFF."""
    with path.open("rb") as file:
        return file.read(4) in (b"II*\0", b"MM\0*", b"II+\0", b"MM\0+")


def opened_by_numbers(path: Path) -> Image.Image:
    """The first frame in mode L or RGB, decoded. Raises BadPicture."""
    import numpy
    import tifffile

    try:
        with tifffile.TiffFile(path) as tiff:
            page: Any = tiff.pages[0]
            if page.nbytes > ARRAY_MAX_BYTES:
                raise BadPicture(f"The picture takes more than {ARRAY_MAX_BYTES >> 20} MB of memory to decode.")
            values = numpy.asarray(page.asarray(), dtype=numpy.float64)
            if page.planarconfig == tifffile.PLANARCONFIG.SEPARATE and values.ndim == 3:
                values = numpy.moveaxis(values, 0, -1)
            negative = page.photometric == tifffile.PHOTOMETRIC.MINISWHITE
            dpi = _dpi(page)
    except BadPicture:
        raise
    except Exception:  # a parser of strangers' files raises whatever it meets
        raise BadPicture("The TIFF is damaged, or of a kind that cannot be read.") from None
    image = Image.fromarray(_eight_bits(values, negative))
    image.format = "TIFF"
    if dpi:
        image.info["dpi"] = dpi
    return image


def _eight_bits(values: Any, negative: bool) -> Any:
    import numpy

    if values.ndim == 3:
        values = values[..., :3] if values.shape[2] >= 3 else values[..., 0]
    if values.ndim != 2 and values.ndim != 3:
        raise BadPicture("The TIFF is not a flat picture.")
    finite = values[numpy.isfinite(values)]
    low, high = (float(finite.min()), float(finite.max())) if finite.size else (0.0, 1.0)
    low = low if high > low else high - 1.0
    values = numpy.nan_to_num(values, nan=low, posinf=high, neginf=low)
    grey = (values - low) * (255.0 / (high - low)) + 0.5
    eight = grey.clip(0, 255).astype(numpy.uint8)
    return 255 - eight if negative else eight


def _dpi(page: Any) -> tuple[float, float] | None:
    try:
        inches = INCH_UNITS[int(page.tags["ResolutionUnit"].value)]
        across, down = (page.tags[name].value for name in ("XResolution", "YResolution"))
        return across[0] / across[1] * inches, down[0] / down[1] * inches
    except (KeyError, TypeError, ValueError, ZeroDivisionError):
        return None
