"""One grey picture in every depth, number format, turn and pixel shape that files keep pictures in."""

import io
from collections.abc import Callable
from typing import Any

import numpy
import pillow_heif
import tifffile
from PIL import Image

from tests.documents.images.pictures import exif, saved, turned


def tiff(values: numpy.ndarray, **options: Any) -> bytes:
    """A TIFF of just these numbers."""
    file = io.BytesIO()
    tifffile.imwrite(file, values, **({"photometric": "minisblack"} | options))
    return file.getvalue()


def share(picture: Image.Image) -> numpy.ndarray:
    """The grey picture in fractions, black 0 and white 1."""
    return numpy.asarray(picture.convert("L"), dtype=numpy.float64) / 255


def colours(picture: Image.Image) -> numpy.ndarray:
    return numpy.stack([share(picture)] * 3, axis=-1)


DEPTHS: dict[str, Callable[[Image.Image], bytes]] = {
    "16 bits, little-endian": lambda p: tiff((share(p) * 65535).astype("<u2")),
    "16 bits, big-endian": lambda p: tiff((share(p) * 65535).astype(">u2"), byteorder=">"),
    "16 bits in strips with LZW": lambda p: saved(
        Image.fromarray((share(p) * 65535).astype("<u2")), "TIFF", compression="tiff_lzw"
    ),
    "16 bits where 0 is white": lambda p: tiff(((1 - share(p)) * 65535).astype("<u2"), photometric="miniswhite"),
    "10 bits in 16": lambda p: tiff((share(p) * 1023).astype("<u2")),
    "12 bits in 16": lambda p: tiff((share(p) * 4095).astype("<u2")),
    "12 bits in 16, big-endian": lambda p: tiff((share(p) * 4095).astype(">u2"), byteorder=">"),
    "signed 16 bits": lambda p: tiff((share(p) * 32767).astype("<i2")),
    "signed 16 bits below 0": lambda p: tiff((share(p) * 2000 - 1000).astype("<i2")),
    "32 bits": lambda p: tiff((share(p) * (2**32 - 1)).astype("<u4")),
    "32 bits, big-endian": lambda p: tiff((share(p) * (2**32 - 1)).astype(">u4"), byteorder=">"),
    "signed 32 bits": lambda p: tiff((share(p) * (2**31 - 1)).astype("<i4")),
    "8 bits' worth in 32": lambda p: tiff((share(p) * 255).astype("<i4")),
    "64 bits": lambda p: tiff((share(p) * 2.0**60).astype("<u8")),
    "floats of 0 to 1": lambda p: tiff(share(p).astype("<f4")),
    "floats of 0 to 1, big-endian": lambda p: tiff(share(p).astype(">f4"), byteorder=">"),
    "floats of 0 to 65,535": lambda p: tiff((share(p) * 65535).astype("<f4")),
    "floats with a hole": lambda p: tiff(with_hole(share(p)).astype("<f4")),
    "half floats": lambda p: tiff(share(p).astype("<f2")),
    "double floats": lambda p: tiff(share(p).astype("<f8")),
    "colours of floats": lambda p: tiff(colours(p).astype("<f4"), photometric="rgb"),
    "colours of 16 bits": lambda p: tiff((colours(p) * 65535).astype("<u2"), photometric="rgb"),
    "colours of 32 bits": lambda p: tiff((colours(p) * (2**32 - 1)).astype("<u4"), photometric="rgb"),
    "PNG of 16 bits": lambda p: saved(Image.fromarray((share(p) * 65535).astype("<u2")), "PNG"),
    "BMP": lambda p: saved(p, "BMP"),
    "AVIF": lambda p: saved(p.convert("RGB"), "AVIF", quality=95),
    "JPEG 2000": lambda p: saved(p, "JPEG2000"),
    "JPEG 2000 code stream": lambda p: saved(p, "JPEG2000", no_jp2=True),
    "JPEG 2000 of 16 bits": lambda p: saved(Image.fromarray((share(p) * 65535).astype("<u2")), "JPEG2000"),
    "HEIC": lambda p: heic(p),
}
"""File makers by kind; each takes a grey picture."""


def with_hole(values: numpy.ndarray) -> numpy.ndarray:
    """The numbers, one of which is none."""
    values[0, 0] = numpy.nan
    return values


def heic(picture: Image.Image) -> bytes:
    file = io.BytesIO()
    pillow_heif.from_pillow(picture.convert("RGB")).save(file, quality=95)
    return file.getvalue()


TURNS = {
    f"{format} of orientation {orientation}": (format, orientation)
    for format in ("TIFF", "JPEG", "PNG", "WEBP")
    for orientation in range(1, 9)
}


def turned_file(picture: Image.Image, format: str, orientation: int, **options: Any) -> bytes:
    """The file of a camera or scanner that was held otherwise, whose tag sets the picture upright again."""
    pixels = turned(orientation)(picture)
    tag = {"tiffinfo": {274: orientation}} if format == "TIFF" else {"exif": exif(orientation=orientation)}
    return saved(pixels, format, **tag, **options)


OBLONG: dict[str, Callable[[Image.Image], bytes]] = {
    "TIFF of 200 × 100 dpi": lambda p: saved(p, "TIFF", dpi=(200, 100)),
    "TIFF of 100 × 200 dpi": lambda p: saved(p, "TIFF", dpi=(100, 200)),
    "TIFF of 204 × 98 dpi, G3": lambda p: saved(p.convert("1", dither=0), "TIFF", dpi=(204, 98), compression="group3"),
    "PNG of 200 × 100 dpi": lambda p: saved(p, "PNG", dpi=(200, 100)),
    "JPEG of 200 × 100 dpi": lambda p: saved(p, "JPEG", dpi=(200, 100)),
    "BMP of 200 × 100 dpi": lambda p: saved(p, "BMP", dpi=(200, 100)),
    "TIFF of 200 × 100 dpi lying on its side": lambda p: turned_file(p, "TIFF", 6, dpi=(200, 100)),
    "JPEG of 200 × 100 dpi lying on its side": lambda p: turned_file(p, "JPEG", 6, dpi=(200, 100)),
}
"""Pictures whose pixels are not square."""
