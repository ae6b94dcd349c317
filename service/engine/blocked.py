"""Reason of a job that waits for a key of its limits, as the scripts note it in its record."""

import re
from typing import NamedTuple

RECORDED = re.compile(r"(limit|rate) ([^:\s]+):([^:\s]+):(\S+)\|(\d+)\|(\d+)\|(\d+)")


class Blocked(NamedTuple):
    """The key that a job waits for, and the bound that keeps it."""

    by_rate: bool
    type: str
    field: str
    value: str
    at_once: int
    starts: int
    period_ms: int

    @property
    def key(self) -> str:
        """The key in words, such as owner acme."""
        shown = self.value if len(self.value) <= 24 else f"{self.value[:24]}…"
        return f"{self.field} {shown}"

    @property
    def bound(self) -> str:
        """The bound in words, such as 4 at a time."""
        if self.by_rate:
            return f"{self.starts:,} begin in {_period(self.period_ms)} at most"
        return f"{self.at_once:,} at a time"

    @property
    def limit_key(self) -> str:
        """The key as the store names it."""
        return f"{self.type}:{self.field}:{self.value}"

    @property
    def sentence(self) -> str:
        """Reason why the job does not begin."""
        if self.by_rate:
            number = f"{self.starts:,} {self.type} job{'s' if self.starts > 1 else ''}"
            return f"Waits: {number} of {self.key} in {_period(self.period_ms)} at most have begun"
        if self.at_once == 1:
            return f"Waits for the {self.type} job of {self.key} before it: one runs at a time"
        return f"Waits: {self.at_once:,} {self.type} jobs of {self.key} run, as many as may"


def _period(ms: int) -> str:
    return {1_000: "a second", 60_000: "a minute", 3_600_000: "an hour", 86_400_000: "a day"}.get(ms, f"{ms:,} ms")


def read_blocked(recorded: str) -> Blocked | None:
    """The note `blocked_by` of a record; None for an empty one."""
    found = RECORDED.fullmatch(recorded)
    if not found:
        return None
    why, job_type, field, value, *numbers = found.groups()
    return Blocked(why == "rate", job_type, field, value, *map(int, numbers))
