"""`QueueRow`: one queue's figures on the first page."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from service.engine.holds import Hold
from service.engine.states import State
from service.engine.store.error_groups import ErrorGroup
from service.engine.store.queue_controls import Kind
from service.monitoring.metrics import Figures


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
    notes: Mapping[Kind, Hold]
    waiting_since_ms: int | None
    causes: Sequence[ErrorGroup]
    hour: Figures

    @property
    def waiting(self) -> int:
        return self.counts[State.QUEUED] + self.counts[State.RETRYING]

    def per_minute(self, event: str) -> list[int]:
        """How often `event` happened in each of the last minutes, oldest first."""
        return [minute.get(event, 0) for minute in self.minutes]
