"""Moments, lengths of time and numbers, and ranges of them, as a query writes them.

A time without a zone is UTC. A relative one, such as 2h, is the moment that long ago: `created:>2h` is later than two hours
ago, as `created:>2026-11-01` is later than that day.
"""

import re
from collections.abc import Callable
from datetime import UTC, datetime, timedelta

from service.engine.store.conditions import Range

Read = Callable[[str], Range]

UNITS_MS = {"ms": 1, "s": 1_000, "m": 60_000, "h": 3_600_000, "d": 86_400_000, "w": 604_800_000}
LENGTH = re.compile(r"(?:\d+(?:\.\d+)?(?:ms|s|m|h|d|w))+")
PART = re.compile(r"(\d+(?:\.\d+)?)(ms|s|m|h|d|w)")
LENGTH_MAX_MS = 100 * 366 * 86_400_000
"""A century: what is longer is a slip, and its moment may lie before the calendar."""

DAY = re.compile(r"\d{4}-\d\d-\d\d")
MINUTE = re.compile(r"\d{4}-\d\d-\d\d[T ]\d\d:\d\d(?:Z|[+-]\d\d:\d\d)?")
NUMBER = re.compile(r"\d{1,9}")


def length_ms(text: str) -> int:
    """Milliseconds of a length such as 90s, 1h30m or 1.5d. Raises ValueError."""
    if not LENGTH.fullmatch(text):
        raise ValueError(f"{text[:40]} is not a length of time: write one such as 30s, 5m, 1h30m or 2d")
    total = sum(float(number) * UNITS_MS[unit] for number, unit in PART.findall(text))
    if total > LENGTH_MAX_MS:
        raise ValueError(f"{text[:40]} is more than a century")
    return int(total)


def moments(text: str, now_ms: int) -> Range:
    """The span that a time covers: a day, a minute or a second. A relative one is a single moment. Raises ValueError."""
    if LENGTH.fullmatch(text):
        at_ms = now_ms - length_ms(text)
        return Range(at_ms, at_ms)
    try:
        begin = datetime.fromisoformat(text)
        begin = begin if begin.tzinfo else begin.replace(tzinfo=UTC)
        step = timedelta(days=1) if DAY.fullmatch(text) else timedelta(minutes=1) if MINUTE.fullmatch(text) else None
        begin_ms = round(begin.timestamp() * 1000)
        end_ms = round((begin + (step or timedelta(seconds=1))).timestamp() * 1000)
    except (ValueError, OverflowError):
        raise ValueError(
            f"{text[:40]} is not a time: write one such as 2h (two hours ago), 2026-11-01 or 2026-11-01T12:00:00Z"
        ) from None
    return Range(begin_ms, end_ms)


def read_moment(text: str, now_ms: int) -> Range:
    """A time, or a range of times. A relative time without a sign means since then."""
    if LENGTH.fullmatch(text):
        return Range(moments(text, now_ms).begin, None)
    return ranged(text, lambda one: moments(one, now_ms))


def read_length(text: str) -> Range:
    """A length with a sign, or a range of lengths, in ms. Raises ValueError for one alone: none is met to the millisecond."""
    if LENGTH.fullmatch(text):
        raise ValueError(f"{text[:40]} needs a sign or a range: >{text[:40]}, <{text[:40]} or {text[:40]}..1h")
    return ranged(text, lambda one: _point(length_ms(one)))


def read_number(text: str) -> Range:
    """A whole number, alone, with a sign, or a range of them. Raises ValueError."""
    return ranged(text, _number)


def ranged(text: str, read: Read) -> Range:
    """`>x`, `>=x`, `<x`, `<=x`, `a..b`, `a..`, `..b` or `x`. Raises ValueError."""
    for sign, bounds in (
        (">=", lambda one: Range(one.begin, None)),
        ("<=", lambda one: Range(None, _after(one))),
        (">", lambda one: Range(_after(one), None)),
        ("<", lambda one: Range(None, one.begin)),
    ):
        if text.startswith(sign):
            return bounds(read(text.removeprefix(sign)))
    first, dots, last = text.partition("..")
    if not dots:
        return read(text)
    if not first and not last:
        raise ValueError("a range needs a begin or an end, such as 1..3, 1.. or ..3")
    begin = read(first).begin if first else None
    end = _after(read(last)) if last else None
    if begin is not None and end is not None and begin >= end:
        raise ValueError(f"the range {text[:80]} ends before it begins")
    return Range(begin, end)


def _after(one: Range) -> int:
    """The first value behind what a text covers; a single moment is not behind itself."""
    begin, end = one.begin or 0, one.end or 0
    return end if end > begin else begin + 1


def _point(value: int) -> Range:
    return Range(value, value + 1)


def _number(text: str) -> Range:
    if not NUMBER.fullmatch(text):
        raise ValueError(f"{text[:40]} is not a whole number: write one such as 2, >1 or 1..3")
    return _point(int(text))
