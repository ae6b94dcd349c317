"""An image file as a PDF of one page a frame. A JPEG's bytes are taken as they are; other pictures are packed losslessly."""

import zlib
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

from tasks.images.density import display_density
from tasks.ocr.document import frame_count, open_image
from tasks.ocr.render import MAX_PIXELS, render_image_frame

if TYPE_CHECKING:
    from pikepdf import Pdf

ORIENTATION = 0x0112
"""EXIF tag."""

TURNED = {3: 180, 6: 90, 8: 270}
"""EXIF orientations of pictures taken with the camera turned, and the degrees that set them upright."""

AS_THEY_ARE = ("L", "RGB")
"""Modes of JPEGs whose colours PDF reads as JPEG does; CMYK ones may be inverted, and are packed again."""


@contextmanager
def wrapped_image(path: Path) -> Iterator["Pdf"]:
    """The PDF, closed at the end."""
    import pikepdf

    with pikepdf.new() as pdf, open_image(path) as image:
        for index in range(frame_count(image)):
            image.seek(index)
            density = display_density(image)
            orientation = image.getexif().get(ORIENTATION, 1)
            if image.format == "JPEG" and image.mode in AS_THEY_ARE and orientation in (1, *TURNED):
                stream = _jpeg(pdf, path, image)
                size, turned = image.size, TURNED.get(orientation, 0)
            else:
                stream, size, density = _packed(pdf, path, image, index, density)
                turned = 0
            _add_page(pdf, stream, (size[0] * 72 / density[0], size[1] * 72 / density[1]), turned)
        yield pdf


def _jpeg(pdf: "Pdf", path: Path, image: Any) -> Any:
    import pikepdf

    stream = pikepdf.Stream(pdf, path.read_bytes())
    _describe(stream, image.size, "/DeviceGray" if image.mode == "L" else "/DeviceRGB")
    stream.Filter = pikepdf.Name.DCTDecode
    return stream


def _packed(
    pdf: "Pdf", path: Path, image: Any, index: int, density: tuple[float, float]
) -> tuple[Any, tuple[int, int], tuple[float, float]]:
    """The frame in colour; one of more than 8 bits, or too large to unpack, as it was rendered for reading."""
    import pikepdf
    from PIL import Image

    from tasks.images.exif import orientation, upright
    from tasks.images.levels import DEEP_MODES

    if image.width * image.height > MAX_PIXELS * 4 or image.mode in DEEP_MODES:
        picture, scale, _ = render_image_frame(path, index)
        frame, density = Image.fromarray(picture), (scale * 72, scale * 72)
    else:
        image.load()
        turned = orientation(image)
        frame = upright(image, turned)
        density = density if turned < 5 else density[::-1]
        if frame.mode not in AS_THEY_ARE:
            paper = Image.new("RGBA", frame.size, "white")
            frame = Image.alpha_composite(paper, frame.convert("RGBA")).convert("RGB")
    stream = pikepdf.Stream(pdf, zlib.compress(frame.tobytes()))
    _describe(stream, frame.size, "/DeviceGray" if frame.mode == "L" else "/DeviceRGB")
    stream.Filter = pikepdf.Name.FlateDecode
    return stream, frame.size, density


def _describe(stream: Any, size: tuple[int, int], colours: str) -> None:
    import pikepdf

    stream.Type, stream.Subtype = pikepdf.Name.XObject, pikepdf.Name.Image
    stream.Width, stream.Height = size
    stream.ColorSpace, stream.BitsPerComponent = pikepdf.Name(colours), 8


def _add_page(pdf: "Pdf", stream: Any, size: tuple[float, float], turned: int) -> None:
    import pikepdf

    page = pdf.add_blank_page(page_size=size)
    page.add_resource(pdf.make_indirect(stream), pikepdf.Name.XObject, pikepdf.Name("/Scan"))
    page.contents_add(pikepdf.Stream(pdf, b"q %.3f 0 0 %.3f 0 0 cm /Scan Do Q\n" % size))
    if turned:
        page.rotate(turned, relative=False)
