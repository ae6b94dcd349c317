"""Huey with one thread, results off. Its client is synchronous."""

import asyncio
import os
import time

from huey import RedisHuey

from bench.harness.stamps import BEGUN, ENDED, stamp

huey = RedisHuey("bench", url=os.environ.get("BENCH_URL", "redis://127.0.0.1"), results=False)


@huey.task()
def noop(enqueued_ns: int) -> None:
    """Says when it ran."""
    stamp(enqueued_ns)


@huey.task()
def busy(seconds: float) -> None:
    """Says when it began, is busy for a while, and says when it ended."""
    stamp(BEGUN)
    time.sleep(seconds)
    stamp(ENDED)


async def pickup(count: int, pause_s: float) -> None:
    """Enqueue `count` jobs one by one, each to an idle worker."""
    for _ in range(count):
        noop(time.monotonic_ns())
        await asyncio.sleep(pause_s)


async def fill(count: int, *, bulk: bool) -> float:
    """Enqueue `count` jobs. Answers seconds; Huey has no bulk form."""
    begun_s = time.perf_counter()
    for _ in range(count):
        noop(0)
    return time.perf_counter() - begun_s


async def long(seconds: float) -> None:
    """Enqueue one job that is busy for `seconds`."""
    busy(seconds)
