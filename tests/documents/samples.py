"""Files made on the spot: whole, damaged and hostile ones."""

import io
from collections.abc import AsyncIterator
from pathlib import Path

import pikepdf
from PIL import Image


def pdf(pages: int = 1, password: str | None = None) -> bytes:
    """A PDF of blank A4 pages; `password` encrypts it."""
    document = pikepdf.new()
    for _ in range(pages):
        document.add_blank_page(page_size=(595, 842))
    made = io.BytesIO()
    document.save(made, encryption=pikepdf.Encryption(user=password, owner=password) if password else False)
    return made.getvalue()


def many_pages(pages: int) -> bytes:
    """A PDF whose page tree lists one page object `pages` times: as many pages to a reader, in a few kilobytes."""
    kids = b" ".join([b"3 0 R"] * pages)
    objects = [
        b"<< /Type /Catalog /Pages 2 0 R >>",
        b"<< /Type /Pages /Count %d /Kids [%s] >>" % (pages, kids),
        b"<< /Type /Page /Parent 2 0 R /MediaBox [0 0 595 842] >>",
    ]
    made, offsets = b"%PDF-1.7\n", []
    for number, body in enumerate(objects, 1):
        offsets.append(len(made))
        made += b"%d 0 obj\n%s\nendobj\n" % (number, body)
    rows = b"".join(b"%010d 00000 n \n" % offset for offset in offsets)
    start = len(made)
    made += b"xref\n0 4\n0000000000 65535 f \n" + rows
    return made + b"trailer\n<< /Size 4 /Root 1 0 R >>\nstartxref\n%d\n%%%%EOF\n" % start


def picture(format: str, frames: int = 1) -> bytes:
    """A small image in a format that Pillow names."""
    images = [Image.new("RGB", (40, 30), (frame * 40, 90, 160)) for frame in range(frames)]
    made = io.BytesIO()
    if frames > 1:
        images[0].save(made, format, save_all=True, append_images=images[1:])
    else:
        images[0].save(made, format)
    return made.getvalue()


async def in_chunks(data: bytes, size: int = 65_536) -> AsyncIterator[bytes]:
    for start in range(0, len(data), size):
        yield data[start : start + size]


def everything_below(folder: Path) -> list[str]:
    """Every file below a folder, as sorted relative paths."""
    return sorted(str(path.relative_to(folder)) for path in folder.rglob("*") if path.is_file())
