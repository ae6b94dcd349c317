"""Single-page PDFs put together from text, pictures and layers."""

from io import BytesIO
from typing import Any

import pikepdf
from pikepdf import Array, Dictionary, Name, Stream
from PIL import Image, ImageDraw, ImageFont

LINES = (
    "Rental agreement number 4471",
    "The tenant pays eight hundred euros",
    "each month before the fifth day",
    "Heating and water are included",
    "Notice period is three months",
    "Keys were handed over on Monday",
    "The garage belongs to the flat",
    "Signed by both parties in Bremen",
)
WORDS = " ".join(LINES)
LETTER = (612.0, 792.0)


def scan(size: tuple[int, int] = (1275, 1650), type_px: int = 40) -> Image.Image:
    """The lines on white paper, as a scanner sees them."""
    picture = Image.new("L", size, 250)
    draw = ImageDraw.Draw(picture)
    for number, line in enumerate(LINES):
        draw.text((size[0] * 0.1, size[1] * 0.1 + number * type_px * 2), line, 15, ImageFont.load_default(type_px))
    return picture


def jpeg(picture: Image.Image) -> bytes:
    file = BytesIO()
    picture.save(file, "JPEG", quality=85)
    return file.getvalue()


def text_at(x: float, y: float, *lines: str, size: float = 12, mode: int = 0, grey: float = 0) -> bytes:
    """Content that shows lines of text, downwards from (x, y)."""
    shown = b" ".join(b"(%s) Tj T*" % line.encode("latin-1") for line in lines)
    return b"BT /F1 %g Tf %d Tr %g g %g TL %g %g Td %s ET\n" % (size, mode, grey, size * 1.3, x, y, shown)


def picture_at(x: float, y: float, width: float, height: float) -> bytes:
    """Content that shows the page's picture."""
    return b"q %g 0 0 %g %g %g cm /Im0 Do Q\n" % (width, height, x, y)


class Page:
    """A page under construction; its PDF is closed by `data`."""

    def __init__(self, content: bytes, size: tuple[float, float] = LETTER) -> None:
        self.pdf = pikepdf.new()
        self.pdf.add_blank_page(page_size=size)
        self.page = self.pdf.pages[0]
        font = Dictionary(Type=Name.Font, Subtype=Name.Type1, BaseFont=Name.Helvetica)
        self.page.obj.Resources = Dictionary(Font=Dictionary(F1=font), XObject=Dictionary(), Properties=Dictionary())
        self.page.obj.Contents = Stream(self.pdf, content)

    def picture(
        self, data: bytes, size: tuple[int, int], filter: str = "DCTDecode", name: str = "Im0", **more: Any
    ) -> "Page":
        """Add a grey picture of 8 bits by its compressed bytes."""
        image = Stream(self.pdf, data)
        image.update(
            Dictionary(
                Type=Name.XObject,
                Subtype=Name.Image,
                Width=size[0],
                Height=size[1],
                ColorSpace=Name.DeviceGray,
                BitsPerComponent=8,
                Filter=Name(f"/{filter}"),
            )
        )
        for key, value in more.items():
            image[f"/{key}"] = value
        self.page.obj.Resources.XObject[f"/{name}"] = self.pdf.make_indirect(image)
        return self

    def layer(self, name: str, *, on: bool) -> Any:
        """Add an optional content group under a name of the page's properties."""
        group = self.pdf.make_indirect(Dictionary(Type=Name.OCG, Name=name))
        self.page.obj.Resources.Properties[f"/{name}"] = group
        root = self.pdf.Root
        if "/OCProperties" not in root:
            root.OCProperties = Dictionary(OCGs=Array(), D=Dictionary(ON=Array(), OFF=Array()))
        root.OCProperties.OCGs.append(group)
        (root.OCProperties.D.ON if on else root.OCProperties.D.OFF).append(group)
        return group

    def data(self) -> bytes:
        file = BytesIO()
        self.pdf.save(file)
        self.pdf.close()
        return file.getvalue()


def scanned_page(content: bytes = b"", size: tuple[float, float] = LETTER, picture: Image.Image | None = None) -> Page:
    """A page all over which a scan lies, and then `content`."""
    picture = picture or scan()
    return Page(picture_at(0, 0, *size) + content, size).picture(jpeg(picture), picture.size)
