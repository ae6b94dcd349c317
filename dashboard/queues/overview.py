"""What the first page shows, computed once for everybody who looks."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from dashboard.drawn import Drawings
from dashboard.queues.health import Health, health
from dashboard.workers.liveness import alive
from service.moments import now_ms
from service.services import Services
from service.states import State
from service.store import Job, WorkerInfo
from service.store.steering import Kind, Note
from settings.queues import Queue

MINUTES_SHOWN = 60
MINUTE_MS = 60_000

RUNNING_SHOWN = 8
FAILED_SHOWN = 5
"""Rows of the two short lists; the whole lists are a click away."""


@dataclass(frozen=True)
class QueueRow:
    """One queue. `clears_ms` is the work (`backlog_ms`) that waits divided by the slots that work on it; None without a worker."""

    name: str
    counts: Mapping[State, int]
    workers: int
    slots: int
    backlog_ms: float
    clears_ms: float | None
    minutes: Sequence[Mapping[str, int]]
    notes: Mapping[Kind, Note]

    @property
    def waiting(self) -> int:
        return self.counts[State.QUEUED] + self.counts[State.RETRYING]

    def per_minute(self, event: str) -> list[int]:
        """How often `event` happened in each of the last minutes, oldest first."""
        return [minute.get(event, 0) for minute in self.minutes]


@dataclass(frozen=True)
class Overview:
    """The first page's figures at `at_ms`."""

    at_ms: int
    health: Health
    queues: Sequence[QueueRow]
    running: Sequence[Job]
    failed: Sequence[Job]
    drawings: Drawings = field(default_factory=dict, compare=False)

    def total(self, *states: str) -> int:
        return sum(row.counts[State(state)] for row in self.queues for state in states)

    @property
    def slots(self) -> int:
        return sum(row.slots for row in self.queues)

    def per_minute(self, event: str) -> list[int]:
        """As a row's, over all queues."""
        return [sum(counts) for counts in zip(*(row.per_minute(event) for row in self.queues), strict=True)]


async def overview(services: Services) -> Overview:
    """Read the figures: every part of it costs the same with a thousand jobs and with a million."""
    at_ms = now_ms()
    store = services.store
    counts = await store.counts()
    workers = await store.workers()
    backlog_ms = await store.backlog_ms()
    shown_minutes = range(at_ms // MINUTE_MS - MINUTES_SHOWN + 1, at_ms // MINUTE_MS + 1)
    rows = []
    for queue in Queue:
        serving = [worker for worker in workers if worker.queue == queue and alive(worker, at_ms)]
        slots = sum(worker.slots for worker in serving)
        minutes = await store.minutes(queue, shown_minutes)
        clears_ms = backlog_ms[queue] / slots if slots else None
        notes = await store.steering.notes(queue)
        rows.append(
            QueueRow(str(queue), counts[queue], len(serving), slots, backlog_ms[queue], clears_ms, minutes, notes)
        )
    running = await store.list(state=State.ACTIVE, limit=RUNNING_SHOWN)
    failed = await store.list(state=State.FAILED, limit=FAILED_SHOWN)
    return Overview(at_ms, health(rows, _silent(workers, at_ms)), rows, running.jobs, failed.jobs)


def _silent(workers: Sequence[WorkerInfo], at_ms: int) -> int:
    return sum(not alive(worker, at_ms) for worker in workers)
