"""The span of a capsule, out of what was typed."""

import re
from dataclasses import dataclass
from datetime import UTC, datetime

from dashboard.formats import DAY_MS, HOUR_MS, MINUTE_MS
from tasks.sdk.errors import Refused

KEPT_DAYS = 400
"""Days are counted for so long; of what is older nothing is kept."""

LONGEST_DAYS = 31

AGES = {"m": MINUTE_MS, "h": HOUR_MS, "d": DAY_MS}

AHEAD_MS = MINUTE_MS
"""Clocks of people's machines may be ahead by so much."""


@dataclass(frozen=True)
class IncidentSpan:
    """From `first_ms` to `last_ms`, in ms since the epoch."""

    first_ms: int
    last_ms: int


def read_span(first: str, last: str, at_ms: int) -> IncidentSpan:
    """The span between two moments; by default the last hour. Raises Refused with one sentence."""
    last_ms = read_moment(last, "to", at_ms) if last.strip() else at_ms
    first_ms = read_moment(first, "from", at_ms) if first.strip() else last_ms - HOUR_MS
    if first_ms >= last_ms:
        raise Refused("The span ends before it begins: `from` must be earlier than `to`.", field="from")
    if first_ms > at_ms + AHEAD_MS:
        raise Refused("The span lies in the future.", field="from")
    if at_ms - first_ms > KEPT_DAYS * DAY_MS:
        raise Refused(f"Nothing is kept for longer than {KEPT_DAYS} days: begin later.", field="from")
    if last_ms - first_ms > LONGEST_DAYS * DAY_MS:
        raise Refused(f"A capsule covers {LONGEST_DAYS} days at most: make several.", field="from")
    if last_ms > at_ms + AHEAD_MS:
        raise Refused("The span ends in the future: leave `to` out for now.", field="to")
    return IncidentSpan(first_ms, min(last_ms, at_ms))


def read_moment(text: str, field: str, at_ms: int) -> int:
    """A moment (ms): an age such as 30m, 2h or 7d, or a time of ISO 8601, in UTC without a zone. Raises Refused."""
    text = text.strip()
    if age := re.fullmatch(r"([0-9]{1,6})([mhd])", text):
        return at_ms - int(age[1]) * AGES[age[2]]
    try:
        at = datetime.fromisoformat(text)
        return round((at if at.tzinfo else at.replace(tzinfo=UTC)).timestamp() * 1000)
    except (ValueError, OverflowError):
        raise Refused(
            f"`{field}` is neither a time such as 2026-01-31T08:00 (UTC) nor an age such as 30m, 2h or 7d: {text[:40]}",
            field=field,
        ) from None
