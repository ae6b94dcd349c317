"""Files made to harm: each costs one clear sentence, a bounded amount of memory, and no other client anything."""

import io
import struct
import zlib
from collections.abc import AsyncIterator, Callable
from pathlib import Path

import pikepdf
import pytest
import pytest_asyncio
from PIL import Image

from service.engine.pool.cpu_pool import CpuPool
from tasks.images.decode_limit import DECODE_MAX_BYTES, HEADROOM_BYTES, bounded_memory
from tasks.images.errors import BadPicture
from tasks.images.thumbnails import Thumbnail, render_thumbnails
from tasks.images.variants import variants
from tasks.sdk.errors import Permanent
from tests.documents.images.pictures import pdf_with, png, saved, scene, written
from tests.peak import peak_bytes

SCENE = scene(800, 600)
WANTED = variants([150], ["webp"])
LIMIT_S = 30.0


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def pool() -> AsyncIterator[CpuPool]:
    pool = CpuPool(1, name="hostile")
    yield pool
    await pool.close()


def grown(path: Path) -> tuple[str, int]:
    """In a child: the outcome of the file, and the child's highest resident memory in bytes."""
    try:
        render_thumbnails(path, WANTED)
        message = "made"
    except Permanent as error:
        message = str(error)
    return message, peak_bytes()


def flood(width: int, height: int) -> bytes:
    """A PNG of `width` × `height` black pixels, in a file a thousandth of its size."""
    packer = zlib.compressobj(9)
    row = b"\0" * (1 + 3 * width)
    return png(width, height, b"".join(packer.compress(row) for _ in range(height)) + packer.flush())


def lying_jpeg(width: int, height: int) -> bytes:
    """A small JPEG whose header claims other sides."""
    data = saved(SCENE.resize((80, 60)), "JPEG")
    at = data.index(b"\xff\xc0") + 5
    return data[:at] + struct.pack(">HH", height, width) + data[at + 4 :]


def endless_gif() -> bytes:
    """A GIF that never ends: its first frame, and then one byte of the next, over and over."""
    return saved(SCENE.quantize(16), "GIF")[:-1] + b"\x2c\0\0\0\0\x01\0\x01\0\0\x02\x02D\x01\0" * 200_000


def lying_webp() -> bytes:
    """A WebP canvas of 16,384 × 16,384 around a small frame."""
    inner = saved(SCENE, "WEBP", lossless=True)[12:]
    extended = b"VP8X" + struct.pack("<I", 10) + b"\0\0\0\0" + (16_383).to_bytes(3, "little") * 2
    return b"RIFF" + struct.pack("<I", 4 + len(extended) + len(inner)) + b"WEBP" + extended + inner


def pdf_page(media_box: list[float]) -> bytes:
    document = pikepdf.new()
    document.add_blank_page()
    document.pages[0].MediaBox = pikepdf.Array(media_box)
    made = io.BytesIO()
    document.save(made)
    return made.getvalue()


def tiff_claiming(width: int, height: int) -> bytes:
    data = bytearray(saved(SCENE.resize((80, 60)), "TIFF"))
    (start,) = struct.unpack("<I", data[4:8])
    for entry in range(start + 2, start + 2 + 12 * struct.unpack("<H", data[start : start + 2])[0], 12):
        tag = struct.unpack("<H", data[entry : entry + 2])[0]
        if tag in (256, 257):
            data[entry + 2 : entry + 12] = struct.pack("<HII", 4, 1, width if tag == 256 else height)
    return bytes(data)


REFUSED: dict[str, tuple[Callable[[], bytes], str]] = {
    "PNG that claims 30,000 × 30,000": (lambda: png(30_000, 30_000, zlib.compress(b"\0" * 1000)), "30,000 × 30,000"),
    "PNG that is 12,000 × 12,000": (lambda: flood(12_000, 12_000), "more than 512 MB"),
    "JPEG that claims 65,000 × 65,000": (lambda: lying_jpeg(65_000, 65_000), "65,000 × 65,000"),
    "WebP that claims 16,384 × 16,384": (lying_webp, "16,384 × 16,384"),
    "TIFF that claims 100,000 × 100,000": (lambda: tiff_claiming(100_000, 100_000), "100,000 × 100,000"),
    "TIFF that claims more than it holds": (lambda: tiff_claiming(8_000, 8_000), "damaged or cut short"),
    "GIF that claims 65,535 × 65,535": (
        lambda: b"GIF89a" + struct.pack("<HHBBB", 65_535, 65_535, 0, 0, 0) + saved(SCENE.quantize(4), "GIF")[13:],
        "65,535 × 65,535",
    ),
    "JPEG cut short": (lambda: saved(SCENE, "JPEG")[:4_000], "damaged or cut short"),
    "PNG cut short": (lambda: saved(SCENE, "PNG")[:4_000], "damaged or cut short"),
    "WebP cut short": (lambda: saved(SCENE, "WEBP")[:2_000], "damaged"),
    "TIFF cut short": (lambda: saved(SCENE, "TIFF", compression="tiff_lzw")[:4_000], "damaged"),
    "GIF cut short": (lambda: saved(SCENE.quantize(256), "GIF")[:4_000], "damaged or cut short"),
    "only a beginning": (lambda: b"\x89PNG\r\n\x1a\n", "damaged"),
    "text": (lambda: b"this is no picture", "damaged or of another kind"),
    "nothing": (lambda: b"", "damaged or of another kind"),
    "PostScript": (lambda: b"%!PS-Adobe-3.0 EPSF-3.0\n%%BoundingBox: 0 0 9 9\n", "damaged or of another kind"),
    "PDF cut short": (lambda: b"%PDF-1.7\n1 0 obj\n<<", "damaged or cut short"),
    "PDF without pages": (lambda: saved_pdf(pikepdf.new()), "no pages"),
}

BORNE: dict[str, Callable[[], bytes]] = {
    "endless GIF": endless_gif,
    "JPEG of 20,000 × 15,000": lambda: saved(Image.new("L", (20_000, 15_000), 99), "JPEG"),
    "JPEG that claims more than it holds": lambda: lying_jpeg(4_000, 4_000),
    "PDF page of 200 kilometres": lambda: pdf_page([0, 0, 5e8, 5e8]),
    "PDF page of no size": lambda: pdf_page([0, 0, 0, 0]),
    "PDF page as thin as a line": lambda: pdf_page([0, 0, 14_400, 0.01]),
    "PDF page turned inside out": lambda: pdf_page([600, 800, 0, 0]),
}


def saved_pdf(document: pikepdf.Pdf) -> bytes:
    made = io.BytesIO()
    document.save(made)
    return made.getvalue()


@pytest.mark.parametrize("kind", REFUSED)
async def test_it_is_refused_in_one_sentence(kind: str, tmp_path: Path, pool: CpuPool) -> None:
    make, expected = REFUSED[kind]
    message, peak = await pool.run(grown, written(tmp_path, make()), timeout_s=LIMIT_S)
    assert expected in message and message.endswith(".") and message.count(". ") == 0
    assert peak < DECODE_MAX_BYTES + HEADROOM_BYTES


@pytest.mark.parametrize("kind", BORNE)
async def test_it_is_drawn_within_bounds(kind: str, tmp_path: Path, pool: CpuPool) -> None:
    message, peak = await pool.run(grown, written(tmp_path, BORNE[kind]()), timeout_s=LIMIT_S)
    assert message == "made" or "no size" in message
    assert peak < DECODE_MAX_BYTES + HEADROOM_BYTES


async def test_a_page_with_a_flood_of_pixels_is_drawn_in_strips(tmp_path: Path, pool: CpuPool) -> None:
    document = pikepdf.open(io.BytesIO(pdf_with(SCENE, (612, 459))))
    image = document.pages[0].Resources.XObject.Im0
    row, packer = b"\xff" * 90_000, zlib.compressobj(1)
    image.write(b"".join(packer.compress(row) for _ in range(30_000)) + packer.flush(), filter=pikepdf.Name.FlateDecode)
    image.Width = image.Height = 30_000
    path = written(tmp_path, saved_pdf(document))
    message, peak = await pool.run(grown, path, timeout_s=LIMIT_S)
    assert message == "made" and peak < DECODE_MAX_BYTES
    made: list[Thumbnail] = await pool.run(render_thumbnails, written(tmp_path, saved(SCENE, "JPEG")), WANTED)
    assert [one.variant for one in made] == WANTED


async def test_what_no_header_tells_meets_a_ceiling_in_the_kernel(pool: CpuPool) -> None:
    with pytest.raises(BadPicture, match="more than 512 MB of memory"):
        await pool.run(allocate_under_the_ceiling, 2 * (DECODE_MAX_BYTES + HEADROOM_BYTES))
    assert await pool.run(allocate_under_the_ceiling, DECODE_MAX_BYTES) == DECODE_MAX_BYTES


def allocate_under_the_ceiling(size: int) -> int:
    with bounded_memory():
        return len(bytearray(size))
