"""Raw photos that begin as a TIFF does. What Pillow opens of them is a small preview, not the picture."""

from typing import Any

DNG_VERSION, MAKE, SUB_IFDS, NEW_SUBFILE_TYPE = 50706, 271, 330, 254
"""TIFF tags."""

MAKERS = {"NIKON": "a Nikon raw photo", "SONY": "a Sony raw photo", "PENTAX": "a Pentax raw photo"}
"""Cameras that keep the real picture in a directory beneath the preview's."""

REDUCED = 1
"""Bit of NewSubfileType: this is a smaller version of another picture in the file."""


def raw_photo(image: Any) -> str | None:
    """Name of the kind of raw photo that an opened TIFF is, with its article; None for any other picture."""
    tags = getattr(image, "tag_v2", None)
    if tags is None:
        return None
    if DNG_VERSION in tags:
        return "a DNG raw photo"
    maker = str(tags.get(MAKE, "")).upper()
    if SUB_IFDS in tags and int(tags.get(NEW_SUBFILE_TYPE, 0)) & REDUCED:
        return next((name for start, name in MAKERS.items() if maker.startswith(start)), None)
    return None
