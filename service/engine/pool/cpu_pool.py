"""A pool of child processes for CPU work, where the end of one child costs exactly one task.

Each slot is a pebble pool of one child with a pipe of its own: in a pool that shares its pipe, a child killed while it
writes a result leaves the pipe torn for all the others.
"""

import asyncio
import multiprocessing
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, TypeVar

from service.engine.pool.learned_memory import TaskMemory
from service.engine.pool.memory_turns import MemoryTurns, default_ceiling_mb
from service.engine.pool.slot import OnCpu, PoolSlot, not_counted
from service.lib.fair_turns import WHOSE, FairTurns, unless_gone
from service.lib.sandbox.rules import Rules
from tasks.sdk.errors import MemoryCeiling, OutOfMemory

T = TypeVar("T")

UNKNOWN_MB = 512
"""Expected of a task of which nothing is known, where its pool does not say: pictures, mails and tables take less."""


@dataclass
class PoolTask:
    """A call, from its request to its result."""

    function: Callable[..., Any]
    args: tuple[Any, ...]
    timeout_s: float | None
    on_cpu: OnCpu
    memory: TaskMemory
    spent_s: float = 0.0
    """CPU seconds so far, of both tries where there are two."""

    def spend(self, spent_s: float) -> None:
        """Note and report the CPU seconds so far."""
        self.spent_s = spent_s
        self.on_cpu(spent_s)


class CpuPool:
    """Runs module-level functions in `workers` spawned children, started when first needed.

    `memory_mb` is a ceiling on a child's resident memory (0: none), `pool_mb` one on that of all children together (0: most of the
    machine's or the container's): tasks run side by side as far as their expected memory fits, which is `child_mb` for one of
    which nothing is known. A child is replaced by a fresh
    one after `recycle_after` tasks, so that what a library leaks stays bounded. Children are confined to `rules`, and yield by
    `niceness` (0 to 19) to the process itself and to others of the machine or container.
    """

    def __init__(
        self,
        workers: int,
        *,
        memory_mb: int = 0,
        pool_mb: int = 0,
        child_mb: int = 0,
        name: str = "pool",
        recycle_after: int = 500,
        niceness: int = 0,
        rules: Rules | None = None,
    ) -> None:
        if workers < 1:
            raise ValueError(f"a pool needs at least one worker, not {workers}")
        self.name = name
        self.niceness = niceness
        """That of its children, and of the programs of jobs that use it."""
        self.rules = rules
        """Those of its children, and of the programs of jobs that use it; None leaves them free."""
        self.memory = MemoryTurns(pool_mb or default_ceiling_mb())
        self.tried_alone = 0
        """Tasks that outgrew their ceiling and were tried once more, alone."""
        self._memory_mb = memory_mb
        self._unknown_mb = child_mb or memory_mb or UNKNOWN_MB
        self._busy: set[PoolSlot] = set()
        context = multiprocessing.get_context("spawn")
        self._slots = [
            PoolSlot(context, recycle_after=recycle_after, niceness=niceness, rules=rules) for _ in range(workers)
        ]
        # Last in, first out: the child used last is warm (models loaded), and spare ones are never started.
        self._free: asyncio.LifoQueue[PoolSlot] = asyncio.LifoQueue()
        for slot in self._slots:
            self._free.put_nowait(slot)
        self._turns = FairTurns(workers)
        self._closed = False

    async def run(
        self,
        function: Callable[..., T],
        *args: Any,
        timeout_s: float | None = None,
        on_cpu: OnCpu = not_counted,
        memory: TaskMemory | None = None,
    ) -> T:
        """Return `function(*args)` as computed in a child. Arguments, result and errors must be picklable.

        `timeout_s` counts from the moment the child begins, not from the moment the call joined the queue, and leaves out the
        time for which it had no core (core_waits.py). Raises the function's own error, TimeoutError, MemoryCeiling (OutOfMemory
        where the kernel killed the child), or ChildDied; Abandoned when the request's client has gone away. In each case but the
        first, and when the awaiting task is cancelled, the child is killed. Owners take turns.
        `on_cpu` is called with the CPU seconds that it has taken so far, the last time as it ends, however it ends.

        `memory` says what the task should take, and afterwards what it took. One that outgrows its ceiling is killed and tried
        once more: alone, with as much as the pool has, or twice `memory_mb` where that is less.
        """
        return await unless_gone(self._in_turn(PoolTask(function, args, timeout_s, on_cpu, memory or TaskMemory())))

    async def _in_turn(self, task: PoolTask) -> Any:
        async with self._turns.of(WHOSE.get()):
            try:
                return await self._admitted(task, task.memory.expected_mb or self._unknown_mb, self._memory_mb)
            except MemoryCeiling as error:
                more_mb = min(self.memory.ceiling_mb, 2 * self._memory_mb or self.memory.ceiling_mb)
                # Killed by the kernel it is tried alone in any case: what else took the memory may have ended.
                if more_mb <= task.memory.limit_mb and not isinstance(error, OutOfMemory):
                    raise
                task.memory.outgrew = f"{error}; tried again alone, with {more_mb} MB"
                self.tried_alone += 1
            try:
                return await self._admitted(task, self.memory.ceiling_mb, more_mb)
            except MemoryCeiling as error:
                raise type(error)(f"{error}, although it ran alone") from None

    async def _admitted(self, task: PoolTask, expected_mb: int, most_mb: int) -> Any:
        """Run a task once its memory fits; a child that holds more than `most_mb` (0: no bound of its own) is killed."""
        async with self.memory.of(expected_mb) as grant:
            slot = self._free.get_nowait()
            self._busy.add(slot)

            def limit_mb(held_mb: int) -> int:
                grant.seen_mb = held_mb
                room_mb = self.memory.room_mb(grant)
                return min(room_mb, most_mb) if most_mb else room_mb

            spent_s = task.spent_s
            try:
                if self._closed:
                    raise RuntimeError(f"the pool {self.name} is closed")
                self._retire_idle()
                return await slot.run(
                    task.function, task.args, task.timeout_s, lambda taken_s: task.spend(spent_s + taken_s), limit_mb
                )
            finally:
                task.memory.measured(slot.peak_mb, slot.limit_mb)
                self._busy.discard(slot)
                self._free.put_nowait(slot)

    def _retire_idle(self) -> None:
        """End children without a task where what they hold does not fit next to what is granted: they are only warm."""
        left_mb = self.memory.ceiling_mb - self.memory.granted_mb
        for slot in self._slots:
            if slot in self._busy:
                continue
            held_mb = slot.held_mb()
            if held_mb > left_mb:
                slot.discard()
            else:
                left_mb -= held_mb

    def pids(self) -> list[int]:
        """Process ids of the children that are alive."""
        return [slot.pid for slot in self._slots if slot.pid]

    async def close(self) -> None:
        """Kill every child, whatever it is doing, and wait until none is left."""
        self._closed = True
        await asyncio.gather(*(slot.close() for slot in self._slots))
