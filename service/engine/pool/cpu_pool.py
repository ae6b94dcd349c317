"""A pool of child processes for CPU work, where the end of one child costs exactly one task.

Each slot is a pebble pool of one child with a pipe of its own: in a pool that shares its pipe, a child killed while it
writes a result leaves the pipe torn for all the others.
"""

import asyncio
import multiprocessing
from collections.abc import Callable
from typing import Any, TypeVar

from service.engine.pool.slot import NOT_COUNTED, OnCpu, PoolSlot
from service.lib.fair_turns import WHOSE, FairTurns, unless_gone

T = TypeVar("T")


class CpuPool:
    """Runs module-level functions in `workers` spawned children, started when first needed.

    `memory_mb` is a ceiling on a child's resident memory (0: none). A child is replaced by a fresh one after
    `recycle_after` tasks, so that what a library leaks stays bounded.
    """

    def __init__(self, workers: int, *, memory_mb: int = 0, name: str = "pool", recycle_after: int = 500) -> None:
        if workers < 1:
            raise ValueError(f"a pool needs at least one worker, not {workers}")
        self.name = name
        context = multiprocessing.get_context("spawn")
        self._slots = [PoolSlot(context, memory_mb=memory_mb, recycle_after=recycle_after) for _ in range(workers)]
        # Last in, first out: the child used last is warm (models loaded), and spare ones are never started.
        self._free: asyncio.LifoQueue[PoolSlot] = asyncio.LifoQueue()
        for slot in self._slots:
            self._free.put_nowait(slot)
        self._turns = FairTurns(workers)
        self._closed = False

    async def run(
        self, function: Callable[..., T], *args: Any, timeout_s: float | None = None, on_cpu: OnCpu = NOT_COUNTED
    ) -> T:
        """Return `function(*args)` as computed in a child. Arguments, result and errors must be picklable.

        `timeout_s` counts from the moment the child begins, not from the moment the call joined the queue. Raises the
        function's own error, TimeoutError, MemoryCeiling, or ChildDied; Abandoned when the request's client has gone
        away. In each case but the first, and when the awaiting task is cancelled, the child is killed. Owners take turns.
        `on_cpu` is called with the CPU seconds that it has taken so far, the last time as it ends, however it ends.
        """
        return await unless_gone(self._in_turn(function, args, timeout_s, on_cpu))

    async def _in_turn(
        self, function: Callable[..., T], args: tuple[Any, ...], timeout_s: float | None, on_cpu: OnCpu
    ) -> T:
        async with self._turns.of(WHOSE.get()):
            slot = self._free.get_nowait()
            try:
                if self._closed:
                    raise RuntimeError(f"the pool {self.name} is closed")
                return await slot.run(function, args, timeout_s, on_cpu)
            finally:
                self._free.put_nowait(slot)

    def pids(self) -> list[int]:
        """Process ids of the children that are alive."""
        return [slot.pid for slot in self._slots if slot.pid]

    async def close(self) -> None:
        """Kill every child, whatever it is doing, and wait until none is left."""
        self._closed = True
        await asyncio.gather(*(slot.close() for slot in self._slots))
