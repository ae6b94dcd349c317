"""Durations of a hold: the choices of a form."""

from dashboard.formats import DAY_MS, HOUR_MS, MINUTE_MS
from service.lib.clock import now_ms
from tasks.sdk.errors import Refused

ENDS: dict[str, tuple[str, int | None]] = {
    "": ("until it is removed", None),
    "15m": ("for 15 minutes", 15 * MINUTE_MS),
    "1h": ("for an hour", HOUR_MS),
    "4h": ("for 4 hours", 4 * HOUR_MS),
    "24h": ("for a day", DAY_MS),
}
"""The key in the form, the words, and milliseconds."""


def until(key: str) -> int | None:
    """When it ends, in ms since the epoch; None means never. Raises Refused for a key that is not offered."""
    if key not in ENDS:
        raise Refused(f"There is no end {key[:40]}.", field="end")
    lasts_ms = ENDS[key][1]
    return None if lasts_ms is None else now_ms() + lasts_ms
