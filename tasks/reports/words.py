"""Text of a report's cells: numbers, durations, moments, and words of any length and writing."""

import re
import unicodedata
from datetime import UTC, datetime
from typing import Any

from tasks.reports.period import Period

CELL_MAX = 400
"""Letters of a cell: a longer text is cut, so that no row fills a page."""

UNBREAKABLE = re.compile(r"\S{19,}")
RUN = 12
"""Letters after which a word that is too long for a narrow column may be broken."""

BREAK = "\u200b"
"""Zero width space: a line may end here, and nothing shows."""

CONTROLS = re.compile("[\x00-\x08\x0b-\x1f\x7f-\x9f\ud800-\udfff\ufdd0-\ufdef\ufffe\uffff\u202a-\u202e\u2066-\u2069]")
"""Letters that no font has, halves of pairs, and marks that would turn the line round them."""


def clean(text: Any, longest: int = CELL_MAX) -> str:
    """Text that can be set: without control letters, not too long, and no word without a place to break."""
    cleaned = " ".join(CONTROLS.sub("", str(text)).split())
    if len(cleaned) > longest:
        cleaned = cleaned[: longest - 1] + "…"
    return UNBREAKABLE.sub(_broken, cleaned)


def _broken(word: re.Match[str]) -> str:
    letters = word.group()
    pieces: list[str] = [""]
    for letter in letters:
        # A mark belongs to the letter before it, and a joiner to both: between them there is no end of a line.
        if len(pieces[-1]) >= RUN and not _joins(letter) and not _joins(pieces[-1][-1]):
            pieces.append("")
        pieces[-1] += letter
    return BREAK.join(pieces)


def _joins(letter: str) -> bool:
    return (
        letter in "\u200c\u200d\ufe0f"
        or unicodedata.category(letter).startswith("M")
        or 0x1F3FB <= ord(letter) <= 0x1F3FF
    )


def number(value: float) -> str:
    """1,234."""
    return f"{value:,.0f}"


def share(part: float, whole: float) -> str:
    """97.5 %; – of nothing. Never 100 % where anything is missing, and never 0 % where anything is there."""
    if not whole:
        return "–"
    percent = 100 * part / whole
    if part < whole:
        percent = min(percent, 99.9)
    if part > 0:
        percent = max(percent, 0.1)
    return f"{percent:.1f} %".replace(".0 %", " %")


def duration(seconds: float | None) -> str:
    """0.8 s, 42 s, 3 min 05 s, 2 h 10 min."""
    if seconds is None:
        return "–"
    if seconds < 10:
        return f"{seconds:.1f} s"
    whole = round(seconds)
    if whole < 60:
        return f"{whole} s"
    minutes, rest = divmod(whole, 60)
    if minutes < 60:
        return f"{minutes} min {rest:02} s"
    hours, minutes = divmod(minutes, 60)
    return f"{hours:,} h {minutes:02} min"


def size(count: float) -> str:
    """Bytes as 812 B, 4.2 MB."""
    for unit in ("B", "kB", "MB", "GB"):
        if count < 1000:
            return f"{count:.0f} {unit}" if unit == "B" or count >= 100 else f"{count:.1f} {unit}"
        count /= 1000
    return f"{count:,.1f} TB"


def as_moment(value: Any) -> datetime | None:
    """A moment out of a row: PostgreSQL gives a datetime, SQLite text in UTC."""
    if value is None or isinstance(value, datetime):
        return value.astimezone(UTC) if value else None
    return datetime.fromisoformat(str(value)).replace(tzinfo=UTC)


def moment(value: datetime | None, period: Period) -> str:
    """2026-03-08 09:00 by the clock of the report's zone."""
    return f"{period.local(value):%Y-%m-%d %H:%M}" if value else "–"
