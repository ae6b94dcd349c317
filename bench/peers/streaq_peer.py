"""streaQ with 100 jobs at once and no results kept."""

import asyncio
import os
import time

from streaq import Worker

from bench.harness.stamps import BEGUN, ENDED, stamp

worker: Worker[None] = Worker(redis_url=os.environ.get("BENCH_URL", "redis://127.0.0.1"), concurrency=100)


@worker.task(ttl=0, silent=True)
async def noop(enqueued_ns: int) -> None:
    """Says when it ran."""
    stamp(enqueued_ns)


@worker.task(ttl=0, silent=True)
async def busy(seconds: float) -> None:
    """Says when it began, is busy for a while, and says when it ended."""
    stamp(BEGUN)
    await asyncio.sleep(seconds)
    stamp(ENDED)


async def pickup(count: int, pause_s: float) -> None:
    """Enqueue `count` jobs one by one, each to an idle worker."""
    async with worker:
        for _ in range(count):
            await noop.enqueue(time.monotonic_ns())
            await asyncio.sleep(pause_s)


async def fill(count: int, *, bulk: bool) -> float:
    """Enqueue `count` jobs. Answers seconds."""
    async with worker:
        begun_s = time.perf_counter()
        if bulk:
            await worker.enqueue_many([noop.enqueue(0) for _ in range(count)])
        else:
            for _ in range(count):
                await noop.enqueue(0)
        return time.perf_counter() - begun_s


async def long(seconds: float) -> None:
    """Enqueue one job that is busy for `seconds`."""
    async with worker:
        await busy.enqueue(seconds)
