"""`QueueRow`: one queue's figures on the first page."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from dashboard.formats import MINUTE_MS
from service.engine.holds import Hold
from service.engine.states import State
from service.engine.store.error_groups import ErrorGroup
from service.engine.store.queue_controls import Kind
from service.mail.server_status import Absence
from service.monitoring.metrics import Figures

ENDED = ("completed", "failed", "cancelled", "expired")
"""Counted events by which a job leaves its queue."""


@dataclass(frozen=True)
class QueueRow:
    """One queue. `clears_ms` is the work (`backlog_ms`) that waits divided by the slots that work on it; None without a
    worker. `causes` are why its dead letters failed, the most frequent first; `hour` has the last hour's waits and runs."""

    name: str
    counts: Mapping[State, int]
    workers: int
    slots: int
    backlog_ms: float
    clears_ms: float | None
    minutes: Sequence[Mapping[str, int]]
    holds: Mapping[Kind, Hold]
    waiting_since_ms: int | None
    causes: Sequence[ErrorGroup]
    hour: Figures
    absence: Absence | None = None
    """The mail server's, for the queue that sends mail."""

    @property
    def waiting(self) -> int:
        return self.counts[State.QUEUED] + self.counts[State.RETRYING]

    def stalled_ms(self, at_ms: int) -> int | None:
        """Time that jobs have waited without any that ended, where that is longer than all of them should take: then the
        forecast is not to be believed. None otherwise.
        """
        if not self.waiting or self.clears_ms is None or self.waiting_since_ms is None:
            return None
        ended = [sum(minute.get(event, 0) for event in ENDED) for minute in self.minutes]
        quiet_minutes = next((ago for ago, count in enumerate(reversed(ended)) if count), len(ended))
        quiet_ms = min(at_ms - self.waiting_since_ms, quiet_minutes * MINUTE_MS)
        return quiet_ms if quiet_ms > max(MINUTE_MS, self.clears_ms) else None

    def per_minute(self, event: str) -> list[int]:
        """Counts of `event` in each of the last minutes, oldest first."""
        return [minute.get(event, 0) for minute in self.minutes]
