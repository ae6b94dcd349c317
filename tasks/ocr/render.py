"""A page as a grey picture, bounded in pixels whatever the page claims to measure."""

from math import ceil
from pathlib import Path
from typing import TYPE_CHECKING, Any

from tasks.ocr.document import open_image
from tasks.sdk import Permanent

if TYPE_CHECKING:
    import numpy
    from pypdfium2 import PdfPage

DPI = 300
"""Small print (6 pt) is 25 pixels high at 300 dpi; more reads no better and costs time."""

MAX_PIXELS = 16_000_000
"""A3 at 300 dpi is 17.4 million. One byte a pixel, a few copies: well under 100 MB a page, whatever its size."""

MAX_SIDE = 16_000
"""Keeps a page of 14,400 × 1 inches from becoming a line that nothing can read."""

MAX_UNPACKED = 1_300_000_000
"""Bytes of a picture in memory; 35,000 × 35,000 pixels of grey are 1.2 billion."""

BYTES_A_PIXEL = {"1": 1, "L": 1, "P": 1, "I;16": 2, "I;16B": 2, "LA": 4}
"""As Pillow keeps them; all other modes take four."""

BAND = 512
"""Rows of the small picture made at a time."""

ORIENTATION = 0x0112
"""EXIF tag."""

IMAGE_DPI = 96.0
"""Taken for a picture that does not say; the resolution of a screen, from which most such pictures come."""


def render_pdf_page(page: "PdfPage") -> tuple["numpy.ndarray", float]:
    """The page as displayed (uint8, height × width) and its pixels a point."""
    import numpy

    width, height = page.get_size()
    scale = bounded_scale(width, height, DPI / 72)
    bitmap = page.render(scale=scale, grayscale=True, limit_image_cache=True)
    # Rows of a bitmap may be padded; the copy also frees it from the page, which is closed next.
    picture = numpy.ascontiguousarray(bitmap.to_numpy()).reshape(bitmap.height, bitmap.width).copy()
    return picture, scale


def bounded_scale(width: float, height: float, wanted: float) -> float:
    """`wanted` pixels a unit, or as many as keep the picture within MAX_PIXELS and MAX_SIDE."""
    return min(wanted, (MAX_PIXELS / (width * height)) ** 0.5, MAX_SIDE / max(width, height))


def render_image_frame(path: Path, index: int) -> tuple["numpy.ndarray", float]:
    """Frame `index` of an image file, upright by its EXIF orientation, and its pixels a point.

    Raises Permanent for a picture that would take more than MAX_UNPACKED bytes to unpack.
    """
    import numpy
    from PIL import ImageOps

    with open_image(path) as image:
        if index:
            image.seek(index)
        dpi, width = image_dpi(image), image.width
        shrink = ceil(1 / bounded_scale(image.width, image.height, 1.0))
        # JPEG alone can be unpacked at a fraction of its size.
        image.draft("L", (image.width // shrink, image.height // shrink))
        if image.width * image.height * BYTES_A_PIXEL.get(image.mode, 4) > MAX_UNPACKED:
            raise Permanent(
                f"The picture has {image.width:,} × {image.height:,} pixels, too many to unpack; save it as JPEG or smaller."
            )
        orientation = image.getexif().get(ORIENTATION, 1)
        shrink = ceil(1 / bounded_scale(image.width, image.height, 1.0))
        frame = _shrunk(image, shrink)
        scale = frame.width / width
        frame.getexif()[ORIENTATION] = orientation
        return numpy.asarray(ImageOps.exif_transpose(frame)), scale * dpi / 72


def _shrunk(image: Any, factor: int) -> Any:
    """The picture in grey, smaller by a whole factor, band by band: a second copy of a large one is never made."""
    from PIL import Image

    image.load()
    whole = Image.new("L", (ceil(image.width / factor), ceil(image.height / factor)))
    step = BAND * factor
    for top in range(0, image.height, step):
        band = _grey(image.crop((0, top, image.width, min(image.height, top + step))), image.info)
        whole.paste(band.reduce(factor) if factor > 1 else band, (0, top // factor))
    return whole


def image_dpi(image: Any) -> float:
    """Pixels an inch, as the file says or as such files usually are."""
    try:
        dpi = float(image.info.get("dpi", (IMAGE_DPI, IMAGE_DPI))[0])
    except (TypeError, ValueError, ZeroDivisionError):
        return IMAGE_DPI
    # Cameras and converters write 1 or 72 for "unknown" and 65535 by mistake.
    return dpi if 50 <= dpi <= 2400 else IMAGE_DPI


def _grey(image: Any, info: dict[str, Any]) -> Any:
    """Eight bits of grey on white: transparency is laid on paper, 16 bits are brought down to 8."""
    from PIL import Image

    if image.mode in ("I", "I;16", "I;16B", "I;16L", "F"):
        return image.convert("F").point(lambda value: value * (1 / 256)).convert("L")
    if image.mode in ("RGBA", "LA", "PA", "La", "RGBa") or "transparency" in info:
        image = image.convert("RGBA")
        paper = Image.new("RGBA", image.size, "white")
        return Image.alpha_composite(paper, image).convert("L")
    return image.convert("L")
