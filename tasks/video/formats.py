"""Formats of a video: the box that each fits, and which of them make sense for a source."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

RECIPE = 1
"""Raised when the same file would give other videos, so that a stored name never means two."""

Format = Literal["480p", "720p", "1080p", "4k"]

FORMATS: tuple[Format, ...] = ("480p", "720p", "1080p", "4k")
"""From the smallest to the largest."""

BOXES: dict[Format, tuple[int, int]] = {
    "480p": (854, 480),
    "720p": (1280, 720),
    "1080p": (1920, 1080),
    "4k": (3840, 2160),
}
"""Longer and shorter side in pixels. An upright video turns the box, so that 1080p of a phone is 1080 × 1920."""

RATES_KBIT: dict[Format, int] = {"480p": 1_500, "720p": 4_000, "1080p": 8_000, "4k": 24_000}
"""Peak rates in kbit/s: quality is constant below them, and a player's buffer holds what is above for two seconds."""


@dataclass(frozen=True)
class Size:
    """Pixels as a video is to be seen: upright, and with square pixels."""

    width: int
    height: int

    def __str__(self) -> str:
        return f"{self.width:,} × {self.height:,}"


def fits(size: Size, format: Format) -> bool:
    """True where a video is within a format's box as it is."""
    longer, shorter = BOXES[format]
    return max(size.width, size.height) <= longer and min(size.width, size.height) <= shorter


def sensible(size: Size) -> list[Format]:
    """Formats that give different videos: the largest is the first that the source fits into, at its own size."""
    for at, format in enumerate(FORMATS):
        if fits(size, format):
            return list(FORMATS[: at + 1])
    return list(FORMATS)


def scaled(size: Size, format: Format) -> Size:
    """Size of the video in a format: within its box, never larger than the source, and even, as H.264 wants it."""
    longer, shorter = BOXES[format]
    share = min(1.0, longer / max(size.width, size.height), shorter / min(size.width, size.height))
    return Size(_even(size.width * share), _even(size.height * share))


def file_name(format: Format) -> str:
    """Name of a format's file in the storage."""
    return f"r{RECIPE}-{format}.mp4"


def refusal(name: str, size: Size, wanted: Sequence[Format]) -> str | None:
    """A sentence about the formats that make no sense for a source, or None where all do."""
    allowed = sensible(size)
    senseless = [format for format in wanted if format not in allowed]
    if not senseless:
        return None
    return (
        f"{name} is {size} pixels, which {allowed[-1]} holds whole: {' and '.join(senseless)} would not be larger. "
        f"Ask for {' or '.join(allowed)}."
    )


def _even(side: float) -> int:
    # Half a pixel is not lost to a fraction just below it, and no side vanishes.
    return max(2, int(side + 0.01) // 2 * 2)
