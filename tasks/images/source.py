"""Opening a picture: only formats that we take, and refused by its header if decoding it would take too much."""

import struct
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from PIL import Image, PngImagePlugin, UnidentifiedImageError
from PIL.JpegImagePlugin import JpegImageFile
from pillow_heif import register_heif_opener

from tasks.images.decode_limit import DECODE_MAX_BYTES, too_much_memory
from tasks.images.errors import BadPicture, TooMuchText
from tasks.images.tiff import is_tiff, opened_by_numbers

FORMATS = ("JPEG", "PNG", "WEBP", "TIFF", "GIF", "BMP", "AVIF", "JPEG2000", "HEIF")
"""Pillow would try every format it knows, some of which start other programs."""

MAX_PIXELS = 400_000_000
"""The largest cameras' pictures. A JPEG of so many is decoded at an eighth in some 4 s on one core; it bounds time."""

BYTES_PER_PIXEL = {"1": 1, "L": 1, "P": 1, "I;16": 2, "I;16B": 2, "I;16L": 2, "I;16N": 2}
"""Of Pillow's picture in memory; every other mode takes 4."""

WEBP_BYTES_PER_PIXEL = 12
"""libwebp's animation decoder keeps two canvases of 4 bytes a pixel in addition to the picture, for a still one too."""

COEFFICIENT_BYTES = 2
"""libjpeg keeps every coefficient of a progressive JPEG until its last scan, one a pixel and component."""

TEXT_MAX_BYTES = 16 << 20
"""Largest text or colour profile of a PNG, unpacked. Editors write histories of several MB; Pillow's own bound is one."""

DAMAGED = "The picture is damaged or cut short."


@contextmanager
def open_picture(path: Path, frame: int = 0) -> Iterator[Image.Image]:
    """The file's frame (from 0), not decoded yet. Raises BadPicture."""
    with warnings.catch_warnings():
        # Broken EXIF and the like is worth a warning to Pillow; here it is a picture like any other.
        warnings.simplefilter("ignore")
        _check_webp(path)
        with opened(path) as image:
            seek(image, frame)
            _check_pixels(image.width, image.height)
            yield image


def opened(path: Path) -> Image.Image:
    """The file as Pillow opens it, its size unchecked. Raises BadPicture."""
    # What may be decoded is decided by memory and time, not by Pillow's guess at what is an attack.
    Image.MAX_IMAGE_PIXELS = None
    PngImagePlugin.MAX_TEXT_CHUNK = TEXT_MAX_BYTES
    # Registering costs nothing twice, and a child may come here first.
    register_heif_opener()
    with damage_named():
        try:
            image = Image.open(path, formats=FORMATS)
        except UnidentifiedImageError:
            if is_tiff(path):
                return opened_by_numbers(path)
            raise
        if image.mode == "I" and _unsigned(image):
            image.close()
            return opened_by_numbers(path)
        _avoid_mapping(image)
        return image


def seek(image: Image.Image, frame: int) -> None:
    """Go to a frame, from 0. Raises BadPicture."""
    if frame:
        with damage_named():
            image.seek(frame)
        _avoid_mapping(image)


def _avoid_mapping(image: Image.Image) -> None:
    """Pillow maps an uncompressed TIFF from its file by the sides it has when upright: one lying on its side is torn."""
    if getattr(image, "tag_v2", {}).get(_ORIENTATION, 1) in (5, 6, 7, 8):
        image.filename = ""  # type: ignore[attr-defined]  # without a name there is nothing to map


def _unsigned(image: Image.Image) -> bool:
    """Return whether it is a TIFF of unsigned 32-bit numbers, the upper half of which Pillow takes for negative ones."""
    tags = getattr(image, "tag_v2", {})
    return tags.get(_SAMPLE_FORMAT, (1,))[0] == 1 and tags.get(_BITS_PER_SAMPLE, (0,))[0] == 32


_BITS_PER_SAMPLE, _ORIENTATION, _SAMPLE_FORMAT = 258, 274, 339
"""TIFF tags."""


def load(image: Image.Image, wanted: tuple[int, int]) -> None:
    """Decode. A JPEG is decoded at the eighth, quarter or half that is still at least `wanted`. Raises BadPicture."""
    whole = image.width * image.height
    need = 0
    if isinstance(image, JpegImageFile):
        image.draft(None, wanted)
        if image.info.get("progressive"):
            need = whole * image.layers * COEFFICIENT_BYTES
    pixel_bytes = WEBP_BYTES_PER_PIXEL if image.format == "WEBP" else BYTES_PER_PIXEL.get(image.mode, 4)
    need += image.width * image.height * pixel_bytes
    if need > DECODE_MAX_BYTES:
        raise BadPicture(too_much_memory())
    with damage_named():
        image.load()


@contextmanager
def damage_named() -> Iterator[None]:
    """Turns what Pillow's decoders raise into one sentence. Raises BadPicture."""
    try:
        yield
    except (MemoryError, BadPicture):
        raise
    except UnidentifiedImageError:
        raise BadPicture("The file is not a picture that can be read: it is damaged or of another kind.") from None
    except Exception as error:  # each decoder raises errors of its own
        if isinstance(error, ValueError) and any(sign in str(error) for sign in _TOO_MUCH_TEXT):
            limit = f"{TEXT_MAX_BYTES >> 20} MB"
            raise TooMuchText(
                f"The picture has a text or a colour profile that unpacks to more than {limit}."
            ) from None
        raise BadPicture(DAMAGED) from None


_TOO_MUCH_TEXT = ("MAX_TEXT_CHUNK", "MAX_TEXT_MEMORY")
"""Settings that Pillow names where a PNG's text or profile unpacks to more than they allow."""


def _check_pixels(width: int, height: int) -> None:
    if width * height > MAX_PIXELS:
        raise BadPicture(
            f"The picture has {width:,} × {height:,} pixels; at most {MAX_PIXELS // 10**6} million can be read."
        )


def _check_webp(path: Path) -> None:
    """Pillow allocates a WebP's canvases as it opens it, so its size is read here first (RFC 9649, section 2)."""
    with path.open("rb") as file:
        head = file.read(30)
    if head[:4] != b"RIFF" or head[8:12] != b"WEBP" or len(head) < 30:
        return
    match head[12:16]:
        case b"VP8X":
            width, height = (int.from_bytes(head[at : at + 3], "little") + 1 for at in (24, 27))
        case b"VP8L":
            bits = int.from_bytes(head[21:25], "little")
            width, height = (bits & 0x3FFF) + 1, (bits >> 14 & 0x3FFF) + 1
        case _:
            width, height = (side & 0x3FFF for side in struct.unpack("<HH", head[26:30]))
    if width * height * WEBP_BYTES_PER_PIXEL > DECODE_MAX_BYTES:
        _check_pixels(width, height)
        raise BadPicture(too_much_memory(f"The picture of {width:,} × {height:,} pixels"))
