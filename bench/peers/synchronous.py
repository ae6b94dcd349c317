"""The jobs, and the client, of peers that are synchronous. It has no bulk form: RQ adds its own."""

import asyncio
import time
from collections.abc import Callable

from bench.harness.stamps import BEGUN, ENDED, stamp


def noop(enqueued_ns: int) -> None:
    """Says when it ran."""
    stamp(enqueued_ns)


def busy(seconds: float) -> None:
    """Says when it began, is busy for a while, and says when it ended."""
    stamp(BEGUN)
    time.sleep(seconds)
    stamp(ENDED)


class Client:
    """Enqueues by the peer's own two calls."""

    def __init__(self, noop: Callable[[int], object], busy: Callable[[float], object]) -> None:
        self.noop = noop
        self.busy = busy

    async def pickup(self, count: int, pause_s: float) -> None:
        """Enqueue `count` jobs one by one, each to an idle worker."""
        for _ in range(count):
            self.noop(time.monotonic_ns())
            await asyncio.sleep(pause_s)

    async def fill(self, count: int, *, bulk: bool) -> float:
        """Enqueue `count` jobs, one by one. Answers seconds."""
        begun_s = time.perf_counter()
        for _ in range(count):
            self.noop(0)
        return time.perf_counter() - begun_s

    async def long(self, seconds: float) -> None:
        """Enqueue one job that is busy for `seconds`."""
        self.busy(seconds)
