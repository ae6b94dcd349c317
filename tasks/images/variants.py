"""Variants of a thumbnail: sizes, formats, qualities. Names follow from it, so a name never means two pictures."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

RECIPE = 1
"""Raised when the same file would give other pictures: the nightly maintenance then makes them again."""

SIZES = (150, 300, 600)
"""Longest sides in pixels: a list's row, a grid's tile, and that tile on a screen of twice the density."""

SIZE_MIN, SIZE_MAX = 16, 2000
"""Below, nothing can be told apart; above, it is not a thumbnail any more, and its cost becomes that of the original."""

Format = Literal["webp", "jpeg"]

FORMATS: tuple[Format, ...] = ("webp", "jpeg")
"""In order of preference: WebP for clients that take it, JPEG for mail programs and old libraries."""

MEDIA_TYPES: dict[Format, str] = {"webp": "image/webp", "jpeg": "image/jpeg"}

WEBP_QUALITY = 80
JPEG_QUALITY = 82
"""libjpeg's scale; looks like WebP at 80, side by side at twice the size."""


@dataclass(frozen=True, order=True)
class Variant:
    """One of a document's thumbnails."""

    size: int
    format: Format

    @property
    def name(self) -> str:
        """The last segment of its path in storage."""
        return f"r{RECIPE}-{self.size}.{self.format}"


@dataclass(frozen=True)
class Thumbnail:
    """A finished picture file; `width` and `height` in pixels."""

    variant: Variant
    width: int
    height: int
    data: bytes


def variants(sizes: Sequence[int], formats: Sequence[Format] = FORMATS) -> list[Variant]:
    """Every size in every format, without repetitions, smallest first."""
    return sorted({Variant(size, format) for size in sizes for format in formats})
