"""SAQ with 100 jobs at once and no results kept."""

import asyncio
import os
import time
from typing import Any

from saq import Queue

from bench.harness.stamps import stamp

queue = Queue.from_url(os.environ.get("BENCH_URL", "redis://127.0.0.1"))


async def noop(ctx: dict[str, Any], *, enqueued_ns: int) -> None:
    """Says when it ran."""
    stamp(enqueued_ns)


async def busy(ctx: dict[str, Any], *, seconds: float) -> None:
    """Says when it ran, and is busy for a while."""
    stamp(0)
    await asyncio.sleep(seconds)


settings = {"queue": queue, "functions": [noop, busy], "concurrency": 100}


async def pickup(count: int, pause_s: float) -> None:
    """Enqueue `count` jobs one by one, each to an idle worker."""
    for _ in range(count):
        await queue.enqueue("noop", enqueued_ns=time.monotonic_ns(), ttl=-1)
        await asyncio.sleep(pause_s)
    await queue.disconnect()


async def fill(count: int, *, bulk: bool) -> float:
    """Enqueue `count` jobs. Answers seconds; SAQ has no bulk form."""
    begun_s = time.perf_counter()
    for _ in range(count):
        await queue.enqueue("noop", enqueued_ns=0, ttl=-1)
    spent_s = time.perf_counter() - begun_s
    await queue.disconnect()
    return spent_s


async def long(seconds: float) -> None:
    """Enqueue one job that is busy for `seconds`, with its timeout raised so that it may."""
    await queue.enqueue("busy", seconds=seconds, timeout=600)
    await queue.disconnect()
