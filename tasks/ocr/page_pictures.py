"""Pictures on a PDF page: where they are displayed, in what resolution, and whether they can be decoded."""

import ctypes
from dataclasses import dataclass
from io import BytesIO
from typing import TYPE_CHECKING, Any

from tasks.ocr.coordinates import Display
from tasks.ocr.words import Box

if TYPE_CHECKING:
    import numpy
    from pypdfium2 import PdfImage, PdfPage

FORM_DEPTH = 15
"""Forms within forms that are followed, as PDFium does by default."""

SMALL = 0.02
"""Share of the page under which a picture is an ornament: it is not missed where it cannot be decoded."""

SIMPLE_FILTERS = ("FlateDecode", "LZWDecode", "RunLengthDecode", "ASCII85Decode", "ASCIIHexDecode", "Crypt")
"""Filters whose output is the pixels themselves."""

FLAT_ROWS = 0.02
"""Share of a picture's height, at its foot, that is of one tone where its data end early; margins may be so as well."""

FLAT_TONES = 2
"""Grey levels that rounding leaves in a surface of one tone."""

BLANK_MAX_BYTES = 2_048
"""Compressed bytes that a fax or JBIG2 picture of blank paper comes to at most, at 600 dpi."""


@dataclass
class PagePicture:
    """`box` is in points of the page as displayed; `order` counts the page's objects from the bottom up."""

    box: Box
    order: int
    pixels: tuple[int, int]
    image: "PdfImage"

    @property
    def area(self) -> float:
        """Points squared."""
        return max(0.0, self.box[2] - self.box[0]) * max(0.0, self.box[3] - self.box[1])

    @property
    def resolution(self) -> float:
        """Pixels a point, of the finer side."""
        width, height = self.box[2] - self.box[0], self.box[3] - self.box[1]
        if width <= 0 or height <= 0:
            return 0.0
        # Turned by a quarter, its columns run down the page.
        sides = max(self.pixels) / max(width, height), min(self.pixels) / min(width, height)
        return max(sides)


@dataclass
class PageObjects:
    """The pictures, and the order of every text object by its address."""

    pictures: list[PagePicture]
    text_orders: dict[int, int]


def page_objects(page: "PdfPage") -> PageObjects:
    """The page's pictures and texts, those within forms included."""
    from pypdfium2 import raw

    display = Display(page.get_bbox(), page.get_rotation())
    width, height = display.size
    found = PageObjects([], {})
    for order, one in enumerate(page.get_objects(max_depth=FORM_DEPTH)):
        if one.type == raw.FPDF_PAGEOBJ_TEXT:
            found.text_orders[address(one.raw)] = order
        elif one.type == raw.FPDF_PAGEOBJ_IMAGE:
            bounds = one.get_bounds()
            holder = one.container
            while holder is not None:
                bounds = holder.get_matrix().on_rect(*bounds)
                holder = holder.container
            x0, y0, x1, y1 = display.box(*bounds)
            box = max(0.0, x0), max(0.0, y0), min(width, x1), min(height, y1)
            if box[0] < box[2] and box[1] < box[3]:
                found.pictures.append(PagePicture(box, order, _pixels(one), one))
    return found


def address(pointer: Any) -> int:
    """Address of an object of PDFium, by which two handles of it are known to be one."""
    return ctypes.cast(pointer, ctypes.c_void_p).value or 0


def _pixels(image: "PdfImage") -> tuple[int, int]:
    import pypdfium2

    try:
        return image.get_px_size()
    except pypdfium2.PdfiumError:
        return 0, 0


def share_of_page(pictures: list[PagePicture], size: tuple[float, float]) -> float:
    """The share of the page's area that pictures cover, 1 at most."""
    return min(1.0, sum(picture.area for picture in pictures) / max(1e-6, size[0] * size[1]))


def finest_resolution(pictures: list[PagePicture]) -> float:
    """Pixels a point of the largest picture; 0 without pictures."""
    return max(pictures, key=lambda picture: picture.area).resolution if pictures else 0.0


def undecodable(
    pictures: list[PagePicture], picture: "numpy.ndarray", scale: float, size: tuple[float, float]
) -> str | None:
    """A sentence on the first picture of some size that cannot be decoded, or not to its end; None where all can.

    `picture` is the page as rendered, `scale` its pixels a point. What a picture is made of is looked into only where
    its foot was drawn in one tone: that is what missing data leave.
    """
    for one in pictures:
        if one.area < SMALL * size[0] * size[1]:
            continue
        x0, y0, x1, y1 = (round(edge * scale) for edge in one.box)
        drawn = picture[y0:y1, x0:x1]
        if drawn.size and not _decodes(one, is_even(drawn), is_even(drawn[-max(1, round(len(drawn) * FLAT_ROWS)) :])):
            name = ", ".join(_filters(one.image)) or "without a filter"
            return (
                f"A picture on the page cannot be decoded: {one.pixels[0]:,} × {one.pixels[1]:,} pixels, {name}; "
                "its data are missing, damaged or cut short."
            )
    return None


def is_even(drawn: "numpy.ndarray") -> bool:
    """Return whether a surface is of one tone."""
    return int(drawn.max()) - int(drawn.min()) <= FLAT_TONES


def _decodes(one: PagePicture, flat: bool, flat_foot: bool) -> bool:
    filters = _filters(one.image)
    last = filters[-1] if filters else ""
    data = _raw(one.image)
    if not data:
        return False
    if last in ("DCTDecode", "JPXDecode"):
        # Both formats end with the same two bytes; sloppy encoders leave them out.
        return b"\xff\xd9" in data[-4_096:] or _opens(data)
    if last in ("CCITTFaxDecode", "JBIG2Decode"):
        return not flat or len(data) <= BLANK_MAX_BYTES
    if last and last not in SIMPLE_FILTERS:
        return not flat
    return not flat_foot or _is_whole(one)


def _filters(image: "PdfImage") -> list[str]:
    import pypdfium2

    try:
        return list(image.get_filters())
    except pypdfium2.PdfiumError:
        return []


def _raw(image: "PdfImage") -> bytes:
    from pypdfium2 import raw

    size = raw.FPDFImageObj_GetImageDataRaw(image.raw, None, 0)
    buffer = (ctypes.c_ubyte * size)()
    raw.FPDFImageObj_GetImageDataRaw(image.raw, buffer, size)
    return bytes(buffer)


def _opens(data: bytes) -> bool:
    from PIL import Image

    try:
        with Image.open(BytesIO(data), formats=("JPEG", "JPEG2000")) as image:
            image.load()
    except Exception:  # decoders raise whatever they meet
        return False
    return True


def _is_whole(one: PagePicture) -> bool:
    """Return whether the unpacked data fill the picture. What a filter cannot unpack is shorter, or nothing at all."""
    from pypdfium2 import raw

    length = raw.FPDFImageObj_GetImageDataDecoded(one.image.raw, None, 0)
    facts = raw.FPDF_IMAGEOBJ_METADATA()
    page = one.image.page.raw if one.image.page else None
    if not raw.FPDFImageObj_GetImageMetadata(one.image.raw, page, ctypes.byref(facts)) or not facts.bits_per_pixel:
        return length > 0
    return length >= (one.pixels[0] * facts.bits_per_pixel + 7) // 8 * one.pixels[1]
