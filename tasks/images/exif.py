"""Facts that a camera wrote about its picture: which way is up and when it was taken. Where it was taken is never read."""

from datetime import datetime

from PIL import ExifTags, Image

_UPRIGHT = {
    2: Image.Transpose.FLIP_LEFT_RIGHT,
    3: Image.Transpose.ROTATE_180,
    4: Image.Transpose.FLIP_TOP_BOTTOM,
    5: Image.Transpose.TRANSPOSE,
    6: Image.Transpose.ROTATE_270,
    7: Image.Transpose.TRANSVERSE,
    8: Image.Transpose.ROTATE_90,
}
"""Transpositions that set a picture of each orientation upright (Exif 2.32, tag 0x0112)."""


def orientation(image: Image.Image) -> int:
    """1 to 8 of a loaded picture; 1, upright, where it does not say or says nonsense."""
    found = _tag(image.getexif(), ExifTags.Base.Orientation) if _has_exif(image) else None
    return found if isinstance(found, int) and found in _UPRIGHT else 1


def upright(image: Image.Image, orientation: int) -> Image.Image:
    """The picture as it is to be seen."""
    return image.transpose(_UPRIGHT[orientation]) if orientation in _UPRIGHT else image


def upright_size(size: tuple[int, int], orientation: int) -> tuple[int, int]:
    """Width and height as it is to be seen."""
    return size if orientation < 5 else (size[1], size[0])


def taken_at(image: Image.Image) -> str | None:
    """ISO 8601, with the offset from UTC where the camera knew it; None where it does not say or says nonsense."""
    if not _has_exif(image):
        return None
    tags = image.getexif()
    try:
        camera = tags.get_ifd(ExifTags.IFD.Exif)
    except Exception:  # a torn directory is one that says nothing
        camera = {}
    written = camera.get(ExifTags.Base.DateTimeOriginal) or _tag(tags, ExifTags.Base.DateTime)
    offset = camera.get(ExifTags.Base.OffsetTimeOriginal)
    for text, pattern in ((f"{written} {offset}", "%Y:%m:%d %H:%M:%S %z"), (str(written), "%Y:%m:%d %H:%M:%S")):
        try:
            return datetime.strptime(text.strip("\0 "), pattern).isoformat()
        except ValueError:
            continue
    return None


def _has_exif(image: Image.Image) -> bool:
    try:
        return bool(image.getexif())
    except Exception:  # Pillow's reader raises whatever it stumbles over
        return False


def _tag(tags: Image.Exif, tag: int) -> object:
    try:
        return tags.get(tag)
    except Exception:  # a value of the wrong type or length
        return None
