"""A page as a grey picture, bounded in pixels whatever the page claims to measure."""

from pathlib import Path
from typing import TYPE_CHECKING, Any

from tasks.ocr.document import open_image

if TYPE_CHECKING:
    import numpy
    from pypdfium2 import PdfPage

DPI = 300
"""Small print (6 pt) is 25 pixels high at 300 dpi; more reads no better and costs time."""

MAX_PIXELS = 16_000_000
"""A3 at 300 dpi is 17.4 million. One byte a pixel, a few copies: well under 100 MB a page, whatever its size."""

MAX_SIDE = 16_000
"""Keeps a page of 14,400 × 1 inches from becoming a line that nothing can read."""

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
    """Frame `index` of an image file, upright by its EXIF orientation, and its pixels a point."""
    import numpy
    from PIL import Image, ImageOps

    with open_image(path) as image:
        if index:
            image.seek(index)
        dpi = image_dpi(image)
        whole = max(image.size)
        scale = bounded_scale(image.width, image.height, 1.0)
        # JPEG alone can be decoded at an eighth of its size; others are decoded whole and shrunk.
        image.draft("L", (round(image.width * scale), round(image.height * scale)))
        frame = ImageOps.exif_transpose(image)
        frame = _grey(frame)
        if max(frame.size) > whole * scale:
            shrink = whole * scale / max(frame.size)
            size = max(1, round(frame.width * shrink)), max(1, round(frame.height * shrink))
            frame = frame.resize(size, Image.Resampling.BOX, reducing_gap=2.0)
        return numpy.asarray(frame), max(frame.size) / whole * dpi / 72


def image_dpi(image: Any) -> float:
    """Pixels an inch, as the file says or as such files usually are."""
    try:
        dpi = float(image.info.get("dpi", (IMAGE_DPI, IMAGE_DPI))[0])
    except (TypeError, ValueError, ZeroDivisionError):
        return IMAGE_DPI
    # Cameras and converters write 1 or 72 for "unknown" and 65535 by mistake.
    return dpi if 50 <= dpi <= 2400 else IMAGE_DPI


def _grey(image: Any) -> Any:
    """Eight bits of grey on white: transparency is laid on paper, 16 bits are brought down to 8."""
    from PIL import Image

    if image.mode in ("I", "I;16", "I;16B", "F"):
        low, high = image.getextrema()
        scale = 255.0 / (high - low) if high > 255 else 1.0
        image = image.point(lambda value: value * scale - (low * scale if high > 255 else 0))
        return image.convert("L")
    if image.mode in ("RGBA", "LA", "PA", "La", "RGBa") or "transparency" in image.info:
        image = image.convert("RGBA")
        paper = Image.new("RGBA", image.size, "white")
        return Image.alpha_composite(paper, image).convert("L")
    return image.convert("L")
