"""Pictures made to harm: their headers lie, their frames have no end, or they are something else as well."""

import io
import random
import struct
import zipfile
import zlib
from collections.abc import Callable

from PIL import Image, PngImagePlugin

from tests.documents.hostile.pdfs import flood
from tests.documents.images.pictures import exif, png, saved, scene, sixteen_bit_grey, sixteen_bit_rgb_png
from tests.documents.images.test_hostile import endless_gif, lying_jpeg, lying_webp, tiff_claiming
from tests.documents.samples import pdf

SCENE = scene(320, 240)


def with_chunk(name: bytes, content: bytes) -> bytes:
    """A good PNG with one more chunk behind its header."""
    whole = saved(SCENE, "PNG")
    chunk = struct.pack(">I", len(content)) + name + content + struct.pack(">I", zlib.crc32(name + content))
    return whole[:33] + chunk + whole[33:]


def frames(count: int, format: str) -> bytes:
    """An animation of so many frames of a point each."""
    many = [Image.new("L", (1, 1), at % 2 * 255) for at in range(count)]
    return saved(many[0], format, save_all=True, append_images=many[1:])


def endless_tiff(count: int = 0) -> bytes:
    """A TIFF whose frames, one or `count`, lead back to the first."""
    data = bytearray(saved(SCENE.convert("L"), "TIFF"))
    (start,) = struct.unpack("<I", data[4:8])
    entries = struct.unpack("<H", data[start : start + 2])[0]
    size = 2 + 12 * entries
    directory = bytes(data[start : start + size])
    at = start
    for _ in range(count):
        data[at + size : at + size + 4] = struct.pack("<I", len(data))
        at = len(data)
        data += directory + bytes(4)
    data[at + size : at + size + 4] = struct.pack("<I", start if not count else 0)
    return bytes(data)


def apng(count: int) -> bytes:
    """A PNG that announces so many frames."""
    return with_chunk(b"acTL", struct.pack(">II", count, 0))


def webp_frames(count: int) -> bytes:
    """A WebP animation of so many frames, all the same."""
    still = saved(Image.new("RGB", (16, 16)), "WEBP")[12:]
    frame = b"\0\0\0" * 2 + (15).to_bytes(3, "little") * 2 + b"\0\0\0\0" + still
    one = b"ANMF" + struct.pack("<I", len(frame)) + frame
    body = b"VP8X" + struct.pack("<I", 10) + b"\x02\0\0\0" + (15).to_bytes(3, "little") * 2
    body += b"ANIM" + struct.pack("<I", 6) + bytes(6) + one * count
    return b"RIFF" + struct.pack("<I", 4 + len(body)) + b"WEBP" + body


def noise(format: str, share: float = 0.02) -> bytes:
    """A picture of which some bytes, but those of its beginning, were replaced at random."""
    data, chance = bytearray(saved(SCENE, format)), random.Random(7)
    for _ in range(int(len(data) * share)):
        data[chance.randrange(40, len(data))] = chance.randrange(256)
    return bytes(data)


def mpo() -> bytes:
    return saved(SCENE, "MPO", save_all=True, append_images=[SCENE.rotate(180), SCENE])


def profile_bomb() -> bytes:
    return with_chunk(b"iCCP", b"x\0\0" + flood(60))


def text_bomb() -> bytes:
    """Text that unpacks to 60 MB, in both of its kinds."""
    return with_chunk(b"zTXt", b"x\0\0" + flood(60))


def archive() -> bytes:
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w", zipfile.ZIP_DEFLATED) as made:
        made.writestr("../../../../tmp/offload-escaped", b"escaped")
        made.writestr("META-INF/MANIFEST.MF", b"Main-Class: Evil")
    return file.getvalue()


def exif_bomb() -> bytes:
    """A JPEG whose EXIF is a directory that lists itself, and claims 4 billion values."""
    entry = struct.pack("<HHII", 0x8769, 4, 1, 8) + struct.pack("<HHII", 0x010F, 2, 0xFFFFFFFF, 0)
    body = b"II*\0" + struct.pack("<IH", 8, 2) + entry + struct.pack("<I", 8)
    return saved(SCENE, "JPEG", exif=b"Exif\0\0" + body)


def text_of_a_script() -> bytes:
    info = PngImagePlugin.PngInfo()
    info.add_text("Comment", "<script>fetch('/')</script>\0{{ 7*7 }}")
    return saved(SCENE, "PNG", pnginfo=info)


def bmp(width: int, height: int) -> bytes:
    data = bytearray(saved(SCENE, "BMP"))
    data[18:26] = struct.pack("<ii", width, height)
    return bytes(data)


def jp2(width: int, height: int) -> bytes:
    from tests.documents.hostile.pdfs import jp2 as codestream

    return codestream(width, height)


EPS = b"%!PS-Adobe-3.0 EPSF-3.0\n%%BoundingBox: 0 0 9 9\n(/tmp/offload-escaped) (w) file (x) writestring\n"
SVG = b'<?xml version="1.0"?><!DOCTYPE s [<!ENTITY e SYSTEM "file:///etc/passwd">]><svg xmlns="http://www.w3.org/2000/svg">'


def hostile_pictures() -> dict[str, Callable[[], bytes]]:
    """Builders by name."""
    return {
        "PNG of 65,000 × 65,000": lambda: png(65_000, 65_000, zlib.compress(bytes(1000))),
        "PNG of no width": lambda: png(0, 9, zlib.compress(bytes(10))),
        "PNG of 2^31": lambda: png(2**31, 2**31, zlib.compress(bytes(10))),
        "PNG that unpacks to more": lambda: png(100, 100, flood(60, bytes(1 << 20))),
        "PNG of a row of 10^8": lambda: png(100_000_000, 1, flood(30, bytes(1 << 20))),
        "PNG with a profile of 60 MB": profile_bomb,
        "PNG with a text of 60 MB": text_bomb,
        "PNG with 2^31 frames": lambda: apng(2**31 - 1),
        "PNG with a script": text_of_a_script,
        "PNG with a broken profile": lambda: saved(SCENE, "PNG", icc_profile=b"\xff" * 5_000),
        "WebP of 16,384 × 16,384": lying_webp,
        "WebP of 10,000 frames": lambda: webp_frames(10_000),
        "WebP of noise": lambda: noise("WEBP"),
        "TIFF of 65,000 × 65,000": lambda: tiff_claiming(65_000, 65_000),
        "TIFF of 2^32 - 1": lambda: tiff_claiming(2**32 - 1, 2**32 - 1),
        "TIFF of 10,000 frames": lambda: endless_tiff(10_000),
        "TIFF in a circle": endless_tiff,
        "TIFF of noise": lambda: noise("TIFF"),
        "TIFF of 32-bit floats": lambda: saved(SCENE.convert("L").convert("F"), "TIFF"),
        "TIFF in CMYK": lambda: saved(SCENE.convert("CMYK"), "TIFF"),
        "TIFF in Lab": lambda: saved(Image.new("LAB", (90, 70)), "TIFF"),
        "TIFF of YCbCr": lambda: saved(SCENE.convert("YCbCr"), "TIFF"),
        "TIFF of points": lambda: saved(SCENE.convert("1"), "TIFF"),
        "JPEG of 65,500 × 65,500": lambda: lying_jpeg(65_500, 65_500),
        "JPEG in CMYK": lambda: saved(SCENE.convert("CMYK"), "JPEG"),
        "JPEG of noise": lambda: noise("JPEG"),
        "JPEG with EXIF in a circle": exif_bomb,
        "JPEG with an orientation of 99": lambda: saved(SCENE, "JPEG", exif=exif(orientation=99)),
        "MPO of three": mpo,
        "GIF of 2,000 frames": lambda: frames(2_000, "GIF"),
        "GIF without end": endless_gif,
        "GIF of noise": lambda: noise("GIF"),
        "BMP of 2^31": lambda: bmp(2**31 - 1, 2**31 - 1),
        "BMP upside down": lambda: bmp(320, -240),
        "BMP of less than nothing": lambda: bmp(-320, 240),
        "JPEG 2000 of 60,000 × 60,000": lambda: jp2(60_000, 60_000),
        "AVIF of noise": lambda: noise("AVIF"),
        "grey of 16 bits": lambda: saved(sixteen_bit_grey(SCENE), "PNG"),
        "colours of 16 bits": lambda: sixteen_bit_rgb_png(SCENE),
        "palette with a transparent colour": lambda: saved(SCENE.quantize(9), "PNG", transparency=bytes(range(9))),
        "grey with alpha": lambda: saved(SCENE.convert("LA"), "PNG"),
        "GIF that is an archive": lambda: saved(SCENE.quantize(9), "GIF") + archive(),
        "JPEG that is a PDF and an archive": lambda: saved(SCENE, "JPEG") + pdf(1) + archive(),
        "EPS by the name of a picture": lambda: EPS,
        "SVG by the name of a picture": lambda: SVG,
        "archive by the name of a picture": archive,
        "PNG that goes on as PostScript": lambda: b"\x89PNG\r\n\x1a\n" + EPS,
    }
