"""Documents made by the tests."""

import re
import zlib
from collections.abc import Sequence
from io import BytesIO

import pikepdf
from PIL import Image, ImageDraw, ImageFont

from tasks.ocr.synthetic.prose import paragraphs
from tasks.ocr.synthetic.scan import CLEAN, Wear, as_pdf, pictures
from tasks.ocr.synthetic.typeset import Run, Style, Typesetter
from tests.documents.images.pictures import png

DPI = 200


def text_pdf(pages: int = 1, words: int = 120, seed: int = 100) -> tuple[bytes, list[str]]:
    """A PDF with a text layer, and the truth of its pages."""
    setter = Typesetter()
    truth = [setter.page([Run(paragraphs(seed + page, words), Style(size=12))]) for page in range(pages)]
    return setter.save(), truth


def scan_pdf(pages: int = 1, words: int = 60, seed: int = 200, wear: Wear = CLEAN) -> tuple[bytes, list[str]]:
    """A PDF of pictures only, and the truth of its pages."""
    pdf, truth = text_pdf(pages, words, seed)
    return as_pdf(pictures(pdf, DPI, wear, seed), DPI), truth


def blank_pdf(pages: int = 1, size: tuple[float, float] = (595, 842)) -> bytes:
    """Empty pages."""
    pdf = pikepdf.new()
    for _ in range(pages):
        pdf.add_blank_page(page_size=size)
    file = BytesIO()
    pdf.save(file)
    return file.getvalue()


def encrypted(data: bytes, password: str = "secret") -> bytes:
    """The PDF, to be opened with a password only."""
    file = BytesIO()
    with pikepdf.open(BytesIO(data)) as pdf:
        pdf.save(file, encryption=pikepdf.Encryption(owner="owner", user=password))
    return file.getvalue()


def without_page_object(data: bytes, page: int) -> bytes:
    """The PDF without the object of one of its pages (from 1), as a damaged disk leaves it."""
    file = BytesIO()
    with pikepdf.open(BytesIO(data)) as pdf:
        pdf.save(file, object_stream_mode=pikepdf.ObjectStreamMode.disable)
    with pikepdf.open(BytesIO(file.getvalue())) as pdf:
        number = pdf.pages[page - 1].obj.objgen[0]
    # The same length, so that every other object stays where the cross-reference table says.
    return re.sub(rb"\n%d 0 obj" % number, lambda found: b"\n" + b"%" * (len(found[0]) - 1), file.getvalue(), count=1)


def lines_picture(
    lines: Sequence[str] = ("The garage belongs to the flat",), size: tuple[int, int] = (1200, 300)
) -> Image.Image:
    """Printed lines, black on white, 8 bits of grey."""
    picture = Image.new("L", size, 255)
    draw = ImageDraw.Draw(picture)
    for number, line in enumerate(lines):
        draw.text((60, 60 + number * 90), line, 0, ImageFont.load_default(60))
    return picture


def saved(picture: Image.Image, format: str, **options: object) -> bytes:
    file = BytesIO()
    picture.save(file, format, **options)
    return file.getvalue()


def cut_jpeg() -> bytes:
    """The first half of a JPEG."""
    whole = saved(lines_picture(), "JPEG")
    return whole[: len(whole) // 2]


def vast_png() -> bytes:
    """A PNG whose header claims 50,000 × 50,000 pixels."""
    return png(50_000, 50_000, zlib.compress(b"\0" * 1000))


def tiff_with_torn_frame(frames: int, torn: int) -> bytes:
    """A TIFF of several frames, one of which (from 1) holds bytes that are not a picture."""
    pictures = [lines_picture((f"Page number {number}",)) for number in range(1, frames + 1)]
    data = bytearray(saved(pictures[0], "TIFF", save_all=True, append_images=pictures[1:], compression="tiff_lzw"))
    with Image.open(BytesIO(data)) as image:
        image.seek(torn - 1)
        start, length = image.tag_v2[273][0], image.tag_v2[279][0]
    data[start : start + length] = b"\xff" * length
    return bytes(data)


def joined(*documents: bytes) -> bytes:
    """The pages of several PDFs as one."""
    whole = pikepdf.new()
    for document in documents:
        with pikepdf.open(BytesIO(document)) as pdf:
            whole.pages.extend(pdf.pages)
    file = BytesIO()
    whole.save(file)
    return file.getvalue()
