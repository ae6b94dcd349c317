"""A scene and the many ways in which a file may hold it: what comes out is compared with the scene itself."""

import io
import math
import struct
import zlib
from collections.abc import Callable
from pathlib import Path

import pikepdf
from PIL import Image, ImageChops, ImageCms, ImageDraw, ImageFilter, ImageStat

CORNERS = {"red": (0.1, 0.1), "green": (0.9, 0.1), "blue": (0.1, 0.9), "white": (0.9, 0.9)}
"""A colour for each corner of the scene, so that none of eight orientations looks like another."""


def scene(width: int = 1200, height: int = 900) -> Image.Image:
    """Coloured corners, a gradient between them, fine lines and a disc."""
    picture = Image.merge(
        "RGB", [Image.linear_gradient("L").rotate(turn).resize((width, height)) for turn in (0, 90, 180)]
    )
    draw = ImageDraw.Draw(picture)
    for colour, (x, y) in CORNERS.items():
        left, top = (0 if x < 0.5 else 0.75) * width, (0 if y < 0.5 else 0.75) * height
        draw.rectangle((left, top, left + width / 4, top + height / 4), fill=colour)
    for step in range(20):
        draw.line((0.35 * width + step * 12, 0.1 * height, 0.3 * width + step * 16, 0.3 * height), "black", 3)
    draw.ellipse((0.4 * width, 0.45 * height, 0.6 * width, 0.75 * height), fill="orange")
    return picture


def saved(picture: Image.Image, format: str, **options: object) -> bytes:
    made = io.BytesIO()
    picture.save(made, format, **options)
    return made.getvalue()


def turned(orientation: int) -> Callable[[Image.Image], Image.Image]:
    """What a camera held so writes: the pixels that its orientation tag turns into the scene again."""
    turn = Image.Transpose
    undo = {
        1: None, 2: turn.FLIP_LEFT_RIGHT, 3: turn.ROTATE_180, 4: turn.FLIP_TOP_BOTTOM,
        5: turn.TRANSPOSE, 6: turn.ROTATE_90, 7: turn.TRANSVERSE, 8: turn.ROTATE_270,
    }[orientation]  # fmt: skip
    return lambda picture: picture.transpose(undo) if undo is not None else picture


def exif(**tags: object) -> bytes:
    """EXIF with `orientation`, `taken`, `offset` and, with `place`, a position on the earth."""
    made = Image.Exif()
    made[0x0112] = tags.get("orientation", 1)
    if "taken" in tags:
        made.get_ifd(0x8769)[0x9003] = tags["taken"]
    if "offset" in tags:
        made.get_ifd(0x8769)[0x9011] = tags["offset"]
    if "place" in tags:
        made.get_ifd(0x8825).update({1: "N", 2: (52.0, 31.0, 12.0), 3: "E", 4: (13.0, 24.0, 18.0)})
    return made.tobytes()


def profile_with_swapped_colours() -> bytes:
    """An ICC profile under which red means green: a reader that ignores it gets the colours plainly wrong."""
    standard = ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB")).tobytes()
    swapped = standard.replace(b"rXYZ", b"tmpX").replace(b"gXYZ", b"rXYZ").replace(b"tmpX", b"gXYZ")
    return swapped.replace(b"sRGB", b"mine").replace("sRGB".encode("utf-16-be"), "mine".encode("utf-16-be"))


def sixteen_bit_grey(picture: Image.Image) -> Image.Image:
    """Mode I;16, each value 257 times that of the grey picture."""
    grey = picture.convert("L").tobytes()
    return Image.frombytes("I;16", picture.size, b"".join(bytes((value, value)) for value in grey))


def sixteen_bit_rgb_png(picture: Image.Image) -> bytes:
    """A PNG of 16 bits a channel, which Pillow reads and cannot write."""
    width, height = picture.size
    raw = picture.tobytes()
    wide = bytes(byte for value in raw for byte in (value, value))
    rows = b"".join(b"\0" + wide[row * width * 6 : (row + 1) * width * 6] for row in range(height))
    return png(width, height, zlib.compress(rows, 1), depth=16)


def png(width: int, height: int, data: bytes, depth: int = 8, kind: int = 2) -> bytes:
    """A PNG by hand: its header may say anything."""
    chunks = [(b"IHDR", struct.pack(">IIBBBBB", width, height, depth, kind, 0, 0, 0)), (b"IDAT", data), (b"IEND", b"")]
    body = b"".join(
        struct.pack(">I", len(content)) + name + content + struct.pack(">I", zlib.crc32(name + content))
        for name, content in chunks
    )
    return b"\x89PNG\r\n\x1a\n" + body


def pdf_with(picture: Image.Image, page: tuple[float, float]) -> bytes:
    """A PDF whose one page, `page` points large, shows the picture over all of it."""
    document = pikepdf.new()
    width, height = page
    document.add_blank_page(page_size=page)
    image = pikepdf.Stream(document, zlib.compress(picture.tobytes()))
    image.update(
        pikepdf.Dictionary(
            Type=pikepdf.Name.XObject,
            Subtype=pikepdf.Name.Image,
            Width=picture.width,
            Height=picture.height,
            ColorSpace=pikepdf.Name.DeviceRGB,
            BitsPerComponent=8,
            Filter=pikepdf.Name.FlateDecode,
        )
    )
    document.pages[0].Resources = pikepdf.Dictionary(XObject=pikepdf.Dictionary(Im0=image))
    document.pages[0].Contents = pikepdf.Stream(document, f"{width} 0 0 {height} 0 0 cm /Im0 Do".encode())
    made = io.BytesIO()
    document.save(made)
    return made.getvalue()


def written(folder: Path, data: bytes) -> Path:
    path = folder / "document"
    path.write_bytes(data)
    return path


def likeness_db(one: Image.Image, other: Image.Image) -> float:
    """Peak signal to noise in decibels; 30 is where an eye begins to see a difference side by side."""
    assert one.size == other.size
    spread = ImageStat.Stat(ImageChops.difference(one.convert("RGB"), other.convert("RGB")))
    return 10 * math.log10(255**2 / max(1e-9, sum(spread.sum2) / (one.width * one.height * 3)))


def sharpness(picture: Image.Image) -> float:
    """Mean strength of the edges."""
    return float(ImageStat.Stat(picture.convert("L").filter(ImageFilter.FIND_EDGES)).mean[0])
