"""When a queue will be clear, now and if more or fewer jobs ran at once.

A fluid model of the queue: work that waits flows out at the number of slots, and work that arrives (jobs a millisecond times
their mean run: the offered load of queueing theory, in slots) flows in. It takes every slot to be as fast as today's.
"""

from collections.abc import Mapping
from dataclasses import dataclass

from dashboard.formats import HOUR_MS, MINUTE_MS, duration, number
from dashboard.queues.row import QueueRow
from service.engine.holds import Hold
from service.engine.store.queue_controls import Kind
from settings.amounts import counted
from settings.queues import QueueSettings
from tasks.sdk.errors import Refused

AT_MOST = 1_000_000


@dataclass(frozen=True)
class Forecast:
    """With `slots` jobs at once. `clears_ms` is None where the work never ends; `load` is what arrives, in slots."""

    slots: int
    backlog_ms: float
    load: float
    mean_run_ms: float

    @property
    def clears_ms(self) -> float | None:
        if not self.backlog_ms:
            return 0.0
        return self.backlog_ms / (self.slots - self.load) if self.slots > self.load else None

    @property
    def words(self) -> str:
        if not self.slots:
            return "never: nothing would run"
        if self.clears_ms is None:
            growth = (self.load - self.slots) * HOUR_MS / max(1.0, self.mean_run_ms)
            return f"never: it grows by about {counted(round(growth), 'job')} an hour"
        return f"in about {duration(self.clears_ms)}" if self.clears_ms else "nothing waits"


def forecast(row: QueueRow, slots: int) -> Forecast:
    """From what the last hour saw arrive, and how long jobs ran."""
    ran, enqueued = sum(row.per_minute("completed")), sum(row.per_minute("enqueued"))
    waits = row.waiting
    mean_ms = sum(row.per_minute("run_ms")) / ran if ran else row.backlog_ms / waits if waits else 0.0
    return Forecast(slots, row.backlog_ms, enqueued * mean_ms / (len(row.minutes) * MINUTE_MS), mean_ms)


@dataclass(frozen=True)
class WhatIf:
    """A question and its answer next to the present. `jobs` at once are asked for, over `workers`."""

    jobs: int
    workers: int
    present: Forecast
    then: Forecast


def what_if(row: QueueRow, bounds: QueueSettings, holds: Mapping[Kind, Hold], jobs: str, workers: str) -> WhatIf:
    """The answer. What is left empty stays as it is. Raises Refused for what is not a number."""
    limit = holds["limit"].value if "limit" in holds else row.slots
    workers_wanted = _count(workers, row.workers, "Workers")
    jobs_wanted = _count(jobs, min(limit, row.slots), "Jobs at once")
    # A worker brings the slots that its settings give it, and no limit makes more of them.
    slots = min(jobs_wanted, workers_wanted * bounds.jobs_at_once)
    present = 0 if "pause" in holds else min(limit, row.slots)
    return WhatIf(jobs_wanted, workers_wanted, forecast(row, present), forecast(row, slots))


def _count(given: str, otherwise: int, name: str) -> int:
    if not given.strip():
        return otherwise
    if not given.strip().isdecimal() or int(given) > AT_MOST:
        raise Refused(f"{name} is a whole number up to {number(AT_MOST)}, not {given[:40]}.", field="jobs")
    return int(given)
