"""One slot of the CPU pool: a single child, the watch over it, and its replacement when it ends."""

import asyncio
import contextlib
import os
import threading
import time
from collections.abc import Callable
from concurrent.futures.process import BrokenProcessPool
from multiprocessing.context import SpawnContext
from typing import Any

import psutil
from pebble import CONSTS, ProcessExpired, ProcessPool

from service.engine.pool.child import NOT_BEGUN, TIMES, call, start_child
from service.engine.pool.core_waits import CoreWaits, is_over, is_ready
from service.engine.pool.process_peak import peak_bytes, reset_peak
from service.lib.sandbox.rules import Rules
from tasks.sdk.errors import ChildDied, MemoryCeiling
from tasks.sdk.memory_group import killed, own_group

# Children ignore SIGTERM (see pool_child), so pebble need not wait its three seconds for them to heed it.
CONSTS.term_timeout = 0.1

WATCH_S = 0.05
"""Interval in which a running child is measured: a child allocating 1 GB/s overshoots its ceiling by some 50 MB."""

MB = 1024 * 1024

WORN = 0.75
"""A child that holds this share of its ceiling after a task is replaced, so that the next task starts with room."""


CLOSE_S = 5.0
"""Seconds that closing waits for pebble's threads after the child has been killed; they are daemons and hold nothing."""


OnCpu = Callable[[float], None]
"""Called with the CPU seconds that a task has taken so far."""


def not_counted(_: float) -> None:
    """Takes what no one counts."""


class PoolSlot:
    """At most one child and at most one task at a time; the caller holds the slot while it runs."""

    def __init__(
        self, context: SpawnContext, *, recycle_after: int, niceness: int = 0, rules: Rules | None = None
    ) -> None:
        self._context = context
        self.limit_mb = 0
        """Ceiling that the last measurement was held against; 0 for none."""
        self.peak_mb = 0
        """Most memory that the child had during its last task."""
        self._recycle_after = recycle_after
        self._niceness = niceness
        self._rules = rules
        self._pid = context.RawValue("i", 0)
        self._times = context.RawArray("d", TIMES)
        self._seen_s = 0.0
        self._pool: ProcessPool | None = None
        self._endings: list[threading.Thread] = []

    @property
    def pid(self) -> int:
        """The living child's process id, or 0."""
        child = self._child()
        return child.pid if child else 0

    async def run(
        self,
        function: Callable[..., Any],
        args: tuple[Any, ...],
        timeout_s: float | None,
        on_cpu: OnCpu = not_counted,
        limit_mb: Callable[[int], int] = lambda _: 0,
    ) -> Any:
        """See CpuPool.run. `limit_mb` takes what the child holds, and returns its ceiling at present; 0 for none."""
        pool, kills_before = self._ready(), own_group().kills()
        self.peak_mb = 0
        reset_peak(self._pid.value)
        self._times[:], self._seen_s = NOT_BEGUN, 0.0
        future = pool.schedule(call, args=(function, args))
        outcome = asyncio.wrap_future(future)
        watch = asyncio.create_task(self._watch(pool, outcome, future.running, timeout_s, on_cpu, limit_mb))
        healthy = False
        try:
            await asyncio.wait({outcome, watch}, return_when=asyncio.FIRST_COMPLETED)
            if not outcome.done():
                raise watch.result()
            error = outcome.exception()
            if isinstance(error, ProcessExpired | BrokenProcessPool):
                raise _death(error, kills_before) from None
            if isinstance(error, MemoryError):
                raise MemoryCeiling(f"the system refused it more memory ({error})") from error
            held_mb = self.held_mb()
            ceiling_mb = limit_mb(held_mb)
            healthy = not ceiling_mb or held_mb < WORN * ceiling_mb
            return outcome.result()
        finally:
            watch.cancel()
            self.peak_mb = max(self.peak_mb, peak_bytes(self._pid.value) // MB)
            on_cpu(self._cpu_s())
            if not healthy:
                outcome.cancel()
                self.discard()

    async def close(self) -> None:
        """Kill the child and wait until it is gone."""
        self.discard()
        endings, self._endings = self._endings, []
        for ending in endings:
            await asyncio.to_thread(ending.join, CLOSE_S)

    def _ready(self) -> ProcessPool:
        # An idle child that is gone was killed from outside; pebble gives up a pool to which that happens.
        if self._pool is not None and (not self._pool.active or (self._pid.value and not self._child())):
            self.discard()
        if self._pool is None:
            self._pid.value = 0
            self._pool = ProcessPool(
                max_workers=1,
                max_tasks=self._recycle_after,
                initializer=start_child,
                initargs=(self._pid, os.getpid(), self._times, self._niceness, self._rules),
                context=self._context,
            )
        return self._pool

    async def _watch(
        self,
        pool: ProcessPool,
        outcome: asyncio.Future[Any],
        running: Callable[[], bool],
        timeout_s: float | None,
        on_cpu: OnCpu,
        limit_mb: Callable[[int], int],
    ) -> Exception:
        """Return the reason to kill the child, once there is one."""
        started: float | None = None
        waits, waited_s = CoreWaits(), 0.0
        while pool.active:
            await asyncio.sleep(WATCH_S)
            if not running() or outcome.done():
                continue
            now = time.monotonic()
            started = started or now
            cpu_s = self._cpu_s()
            on_cpu(cpu_s)
            if timeout_s is not None and waits.is_due(now):
                waited_s = waits.waited_s(now, cpu_s, is_ready(self._pid.value))
            if timeout_s is not None and is_over(now - started, waited_s, timeout_s):
                return TimeoutError(f"took longer than its limit of {timeout_s:g} s")
            held_mb = self.held_mb()
            self.peak_mb = max(self.peak_mb, held_mb)
            self.limit_mb = limit_mb(held_mb)
            if self.limit_mb and held_mb > self.limit_mb:
                return MemoryCeiling(f"used {held_mb} MB of memory, over its ceiling of {self.limit_mb} MB")
        # Without this a reply that cannot be read back, which ends pebble's reader, would be waited for without end.
        await asyncio.sleep(10 * WATCH_S)
        return ChildDied("the child process could not be reached any more")

    def _child(self) -> psutil.Process | None:
        """The living child. A process of another parent that has got the same id since is not taken for it."""
        if not self._pid.value:
            return None
        try:
            process = psutil.Process(self._pid.value)
            ours = process.ppid() == os.getpid() and process.status() != psutil.STATUS_ZOMBIE
        except psutil.NoSuchProcess:
            return None
        return process if ours else None

    def _cpu_s(self) -> float:
        """CPU seconds of the present task: as the child has written it at its end, or as the system counts it till now."""
        begun_s, ended_s = self._times
        if ended_s >= 0:
            return ended_s - begun_s
        child = self._child() if begun_s >= 0 else None
        with contextlib.suppress(psutil.NoSuchProcess):
            if child:
                self._seen_s = max(self._seen_s, sum(child.cpu_times()[:4]) - begun_s)
        # Of a child that has died, what was seen last.
        return self._seen_s

    def held_mb(self) -> int:
        """Resident megabytes of the child; 0 when there is none."""
        child = self._child()
        try:
            return int(child.memory_info().rss // MB) if child else 0
        except psutil.NoSuchProcess:
            return 0

    def discard(self) -> None:
        """Kill the child at once; its pool winds up in the background and is never used again."""
        pool, self._pool = self._pool, None
        if pool is None:
            return
        child = self._child()
        self._pid, self._times = self._context.RawValue("i", 0), self._context.RawArray("d", TIMES)
        pool.stop()
        if child:
            with contextlib.suppress(psutil.NoSuchProcess):
                child.kill()
        ending = threading.Thread(target=pool.join, name="pool-ending", daemon=True)
        ending.start()
        self._endings = [thread for thread in self._endings if thread.is_alive()] + [ending]


def _death(error: BaseException, kills_before: int) -> ChildDied | MemoryCeiling:
    """The error about a child that has ended. `kills_before` is the number of its group's as the task began."""
    if isinstance(error, ProcessExpired) and error.exitcode and error.exitcode < 0:
        return killed("the child process", -error.exitcode, kills_before)
    if isinstance(error, ProcessExpired):
        return ChildDied(f"the child process ended with exit code {error.exitcode}")
    return ChildDied("the child process could not be started")
