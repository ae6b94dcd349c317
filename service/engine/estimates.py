"""Estimates of a job's duration and end, from measured pace and the work ahead of it, in numbers and in words."""

import math
from functools import lru_cache

import msgspec

from service.engine.redis.away import QueueServerAway, partial_reads
from service.engine.states import State
from service.engine.store import Job, Store
from service.lib.single_flight import Shared, SharedByKey
from tasks.sdk.types import JobType

FRESH_S = 2.0
"""Pace and backlog are read this often at most: an estimate may lag two seconds, an enqueue must not wait for it."""


PACES_MAX = 1_000
"""Job types whose pace is kept."""

Pace = tuple[float | None, float | None]
"""Milliseconds a job, and a unit of one; None where there is no measurement."""

UNMEASURED: Pace = (None, None)


class Estimate(msgspec.Struct, frozen=True):
    """`cost_ms`: one attempt on a free worker; `wait_ms`: before it starts. `seconds` is both together."""

    cost_ms: int
    wait_ms: int

    @property
    def seconds(self) -> int:
        return max(1, round((self.cost_ms + self.wait_ms) / 1000))

    @property
    def words(self) -> str:
        """A range a person can plan with, such as "4-6 minutes"."""
        return _range(self.seconds)


@lru_cache(1000)
def _range(seconds: int) -> str:
    low, high = seconds * 0.8, seconds * 1.25
    if high <= 90:
        return _span(low, high, "second")
    if high <= 5400:
        return _span(low / 60, high / 60, "minute")
    return _span(low / 3600, high / 3600, "hour")


def _span(low: float, high: float, unit: str) -> str:
    first, last = max(1, round(low)), max(1, math.ceil(high))
    if first >= last:
        return f"{last} {unit}{'' if last == 1 else 's'}"
    return f"{first}-{last} {unit}s"


class Estimator:
    """Calculates from a short-lived copy of the measured pace and the queues' backlog."""

    def __init__(self, store: Store) -> None:
        self.store = store
        # Shared: a burst of requests must not read them once each.
        self.pace = SharedByKey(self._read_pace, fresh_s=FRESH_S, most=PACES_MAX)
        self.loads = Shared(self._read_loads, fresh_s=FRESH_S)

    async def estimate(self, job_type: JobType, units: int) -> Estimate:
        """The estimate for a job of `units` units that is queued now."""
        return Estimate(await self.cost_ms(job_type, units), round(await self.wait_ms(job_type.queue)))

    async def cost_ms(self, job_type: JobType, units: int) -> int:
        """Milliseconds one attempt should take: measured where there is a measurement, else as declared."""
        job_ms, unit_ms = await self.pace(job_type.name)
        if units and unit_ms is not None:
            return max(1, round(unit_ms * units))
        if not units and job_ms is not None:
            return max(1, round(job_ms))
        expected_s = job_type.first_use_s + job_type.expected_s + units * job_type.expected_unit_s
        return max(1, round(1000 * expected_s))

    async def wait_ms(self, queue: str) -> float:
        """Milliseconds of work that waits on a queue, shared by the slots of its live workers."""
        return (await self.loads()).get(queue, 0.0)

    async def _read_pace(self, name: str) -> Pace:
        try:
            return await self.store.pace(name)
        except QueueServerAway:
            # A job that follows another's is asked for while its own queue's server is away: as declared.
            return UNMEASURED

    async def _read_loads(self) -> dict[str, float]:
        slots: dict[str, int] = {}
        with partial_reads():
            for worker in await self.store.workers():
                slots[worker.queue] = slots.get(worker.queue, 0) + worker.serving_slots
            backlog_ms = await self.store.backlog_ms()
        return {name: ms / max(1, slots.get(name, 1)) for name, ms in backlog_ms.items()}


def estimated_completion_ms(job: Job, at_ms: int) -> int | None:
    """Expected end of a job (ms since the epoch): by its own pace once it has one, else as estimated; None once it ended."""
    if job.state.terminal:
        return None
    if job.state is not State.ACTIVE or job.started_ms is None:
        begin = max(at_ms, job.due_ms or 0)
        return max(job.expected_ms or 0, begin + job.estimated_ms)
    total = job.units_total or job.units
    elapsed = max(0, at_ms - job.started_ms)
    if total and job.units_done > 0:
        return at_ms + round(elapsed * max(0, total - job.units_done) / job.units_done)
    return max(at_ms, job.started_ms + job.estimated_ms)
