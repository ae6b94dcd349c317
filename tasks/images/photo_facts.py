"""Facts and finished pictures of a photo, for those who only pass them on: they load no library of pictures."""

from dataclasses import dataclass


@dataclass(frozen=True)
class PhotoFacts:
    """`width` and `height` in pixels as it is to be seen; `orientation` as the camera wrote it, 1 to 8."""

    width: int
    height: int
    format: str
    taken_at: str | None
    orientation: int


@dataclass(frozen=True)
class Photo:
    """The facts and the two finished WebP files."""

    facts: PhotoFacts
    cover: bytes
    preview: bytes
