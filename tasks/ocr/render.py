"""A page as a grey picture, bounded in pixels whatever the page claims to measure."""

from dataclasses import dataclass
from math import ceil
from pathlib import Path
from typing import TYPE_CHECKING, Any

from tasks.ocr.colours import Separation, separation
from tasks.ocr.document import open_image
from tasks.ocr.page_pictures import finest_resolution, share_of_page
from tasks.ocr.words import Box
from tasks.sdk import Permanent

if TYPE_CHECKING:
    import numpy
    from pypdfium2 import PdfPage

    from tasks.images.levels import Levels
    from tasks.ocr.page_pictures import PagePicture

DPI = 300
"""Small print (6 pt) is 25 pixels high at 300 dpi; more reads no better and costs time."""

PAGE_PIXELS = 8_700_000
"""A4 at DPI."""

SCAN_SHARE = 0.5
"""A page of which pictures cover this share is a scan."""

MAX_PIXELS = 16_000_000
"""A3 at 300 dpi is 17.4 million. One byte a pixel, a few copies: well under 100 MB a page, whatever its size."""

MAX_SIDE = 16_000
"""Keeps a page of 14,400 × 1 inches from becoming a line that nothing can read."""

MAX_UNPACKED = 1_300_000_000
"""Bytes of a picture in memory; 35,000 × 35,000 pixels of grey are 1.2 billion."""

BYTES_A_PIXEL = {"1": 1, "L": 1, "P": 1, "I;16": 2, "I;16B": 2, "I;16L": 2, "I;16N": 2, "LA": 4}
"""As Pillow keeps them; all other modes take four."""

BAND = 512
"""Rows of the small picture made at a time."""


@dataclass
class Rendered:
    """Grey pixels (uint8, height × width), `scale` of them to a unit of the page's space."""

    picture: "numpy.ndarray"
    scale: float


def render_part(page: "PdfPage", scale: float, area: Box | None = None) -> Rendered:
    """The page as displayed, or the part of it within `area` (units of the page, from its top left corner).

    Raises Permanent for a page whose boxes leave nothing to be displayed.
    """
    import numpy

    width, height = page.get_size()
    if not width or not height:
        raise Permanent("The page has no area: its boxes (MediaBox, CropBox) do not meet.")
    x0, y0, x1, y1 = area or (0.0, 0.0, width, height)
    scale = bounded_scale(max(x1 - x0, 1e-3), max(y1 - y0, 1e-3), scale)
    bitmap = page.render(scale=scale, crop=(x0, height - y1, width - x1, y0), grayscale=True, limit_image_cache=True)
    # Rows of a bitmap may be padded; the copy also frees it from the page, which is closed next.
    picture = numpy.ascontiguousarray(bitmap.to_numpy()).reshape(bitmap.height, bitmap.width).copy()
    return Rendered(picture, scale)


def page_scale(size: tuple[float, float], unit: float, pictures: "list[PagePicture]") -> float:
    """Pixels to a unit of a page's space for reading: DPI, or the resolution of its scan where the two disagree.

    A scan on a page far smaller or larger than its paper is rendered at its own resolution, as long as that makes no
    more pixels than PAGE_PIXELS. `unit` is the page's UserUnit in points.
    """
    wanted = DPI / 72 * unit
    if share_of_page(pictures, size) < SCAN_SHARE:
        return wanted
    usual = (PAGE_PIXELS / max(1e-6, size[0] * size[1])) ** 0.5
    return min(max(finest_resolution(pictures), min(wanted, usual)), max(wanted, usual))


def bounded_scale(width: float, height: float, wanted: float) -> float:
    """`wanted` pixels a unit, or as many as keep the picture within MAX_PIXELS and MAX_SIDE."""
    return min(wanted, (MAX_PIXELS / (width * height)) ** 0.5, MAX_SIDE / max(width, height))


def render_image_frame(
    path: Path, index: int, *, in_best_colour: bool = False
) -> tuple["numpy.ndarray", float, tuple[float, float]]:
    """Frame `index` of an image file, upright and in square pixels; its pixels a point; and its size in points.

    Grey, or `in_best_colour`: the channel in which light and dark are furthest apart.
    Raises Permanent for a picture that is damaged, or would take more than MAX_UNPACKED bytes to unpack.
    """
    import numpy

    from tasks.images.density import display_density, square_size
    from tasks.images.exif import orientation, upright
    from tasks.images.levels import DEEP_MODES
    from tasks.images.source import damage_named, seek

    with open_image(path) as image:
        seek(image, index)
        # Both are asked before it is loaded: that turns a TIFF, and shrinks a JPEG.
        density, width = display_density(image), image.width
        size = image.width * 72 / density[0], image.height * 72 / density[1]
        shrink = ceil(1 / bounded_scale(*square_size(image.size, density), 1.0))
        # JPEG alone can be unpacked at a fraction of its size.
        image.draft("RGB" if in_best_colour else "L", (image.width // shrink, image.height // shrink))
        if image.width * image.height * BYTES_A_PIXEL.get(image.mode, 4) > MAX_UNPACKED:
            raise Permanent(
                f"The picture has {image.width:,} × {image.height:,} pixels, too many to unpack; save it as JPEG or smaller."
            )
        with damage_named():
            image.load()
        turned = orientation(image)
        best = separation(image) if in_best_colour and image.mode not in DEEP_MODES else None
        frame = _shrunk(image, ceil(1 / bounded_scale(*square_size(image.size, density), 1.0)), best)
        scale = frame.width / width
        frame = frame.resize(square_size(frame.size, density)) if density[0] != density[1] else frame
        size = size if turned < 5 else size[::-1]
        return numpy.asarray(upright(frame, turned)), scale * max(density) / 72, size


def _shrunk(image: Any, factor: int, best: Separation | None) -> Any:
    """The picture in grey or in one of its colours, smaller by a whole factor. It is made band by band: a second copy of a
    large one never is."""
    from PIL import Image

    from tasks.images.levels import DEEP_MODES, levels

    found = levels(image) if image.mode in DEEP_MODES else None
    whole = Image.new("L", (ceil(image.width / factor), ceil(image.height / factor)))
    step = BAND * factor
    for top in range(0, image.height, step):
        band = image.crop((0, top, image.width, min(image.height, top + step)))
        band = best.of(band) if best else _grey(band, image.info, found)
        whole.paste(band.reduce(factor) if factor > 1 else band, (0, top // factor))
    return whole


def _grey(image: Any, info: dict[str, Any], black_white: "Levels | None") -> Any:
    """Eight bits of grey on white: transparency is laid on paper, more bits are brought down to 8."""
    from PIL import Image

    from tasks.images.levels import eight_bits

    if black_white:
        return eight_bits(image, black_white)
    if image.mode in ("RGBA", "LA", "PA", "La", "RGBa") or "transparency" in info:
        image = image.convert("RGBA")
        paper = Image.new("RGBA", image.size, "white")
        return Image.alpha_composite(paper, image).convert("L")
    return image.convert("L")
