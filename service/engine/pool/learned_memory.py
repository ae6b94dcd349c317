"""`LearnedMemory`: peak memory of the calls of each job type in the pool, shared by all workers."""

import contextlib
import time
from collections.abc import AsyncIterator
from dataclasses import dataclass

import msgspec
import structlog
from redis.exceptions import RedisError

from service.engine.pool.peak_memory import PeakMemory
from service.engine.store import Job, Store
from tasks.sdk.errors import MemoryCeiling

log = structlog.get_logger("offload.pool")

FRESH_S = 10.0
"""Age at which what was read is read again: other workers learn too."""

LEARN_S = 1.0
"""Pause between two writes of one kind of call once it is known well: thousands of small calls cost the server little."""

KNOWN_FROM = 20
"""Calls after which a kind is known well."""


@dataclass(slots=True)
class TaskMemory:
    """Memory of one call: expected before it, measured by it."""

    job_type: str = ""
    function: str = ""
    units: int = 0
    expected_mb: int | None = None
    """None where no such call has been seen."""
    peak_mb: int = 0
    limit_mb: int = 0
    """Ceiling of the child as it was last measured; 0 for none."""
    outgrew: str = ""
    """Reason why it was tried again alone."""

    def measured(self, peak_mb: int, limit_mb: int) -> None:
        """Note what a try took, and the ceiling that it was held against last."""
        self.peak_mb, self.limit_mb = max(self.peak_mb, peak_mb), limit_mb


class LearnedMemory:
    """Reads and writes the measurements. While Redis is away nothing is known and nothing is learned: work goes on."""

    def __init__(self, store: Store) -> None:
        self.store = store
        self._read: dict[str, tuple[float, dict[str, PeakMemory]]] = {}
        self._written_s: dict[tuple[str, str], float] = {}

    @contextlib.asynccontextmanager
    async def measured(self, job: Job, function: str) -> AsyncIterator[TaskMemory]:
        """The memory of a call within the block: what it should take, and then what it took."""
        memory = await self.expected(job.type, function, job.units)
        try:
            yield memory
        except MemoryCeiling:
            await self.learn(memory)
            raise
        else:
            await self.learn(memory)
        finally:
            if memory.outgrew:
                log.warning("job.tried_alone", function=function, reason=memory.outgrew)

    async def expected(self, job_type: str, function: str, units: int) -> TaskMemory:
        """The call with what it should take."""
        known = (await self._of(job_type)).get(function)
        return TaskMemory(job_type, function, units, known.foretold_mb(units) if known else None)

    async def learn(self, task: TaskMemory) -> None:
        """Learn from a call that has ended."""
        kind, now_s = (task.job_type, task.function), time.monotonic()
        known = (await self._of(task.job_type)).setdefault(task.function, PeakMemory())
        if not task.peak_mb:
            return
        if known.seen >= KNOWN_FROM and not task.outgrew and now_s - self._written_s.get(kind, 0) < LEARN_S:
            return
        self._written_s[kind] = now_s
        known.observe(task.units, task.peak_mb)
        with contextlib.suppress(RedisError, OSError):
            await self.store.learned_memory(task.job_type, task.function, msgspec.json.encode(known))

    async def _of(self, job_type: str) -> dict[str, PeakMemory]:
        read_s, known = self._read.get(job_type, (-FRESH_S, {}))
        if time.monotonic() - read_s >= FRESH_S:
            with contextlib.suppress(RedisError, OSError):
                rows = await self.store.known_memory(job_type)
                known = {name: msgspec.json.decode(row, type=PeakMemory) for name, row in rows.items()}
            self._read[job_type] = (time.monotonic(), known)
        return known
