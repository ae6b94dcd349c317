"""taskiq over a Redis list, 100 tasks at once, no result backend."""

import asyncio
import os
import time

from taskiq_redis import ListQueueBroker

from bench.harness.stamps import stamp

broker = ListQueueBroker(os.environ.get("BENCH_URL", "redis://127.0.0.1"))


@broker.task
async def noop(enqueued_ns: int) -> None:
    """Says when it ran."""
    stamp(enqueued_ns)


@broker.task
async def busy(seconds: float) -> None:
    """Says when it ran, and is busy for a while."""
    stamp(0)
    await asyncio.sleep(seconds)


async def pickup(count: int, pause_s: float) -> None:
    """Enqueue `count` jobs one by one, each to an idle worker."""
    await broker.startup()
    for _ in range(count):
        await noop.kiq(time.monotonic_ns())
        await asyncio.sleep(pause_s)
    await broker.shutdown()


async def fill(count: int, *, bulk: bool) -> float:
    """Enqueue `count` jobs. Answers seconds; taskiq has no bulk form."""
    await broker.startup()
    begun_s = time.perf_counter()
    for _ in range(count):
        await noop.kiq(0)
    spent_s = time.perf_counter() - begun_s
    await broker.shutdown()
    return spent_s


async def long(seconds: float) -> None:
    """Enqueue one job that is busy for `seconds`."""
    await broker.startup()
    await busy.kiq(seconds)
    await broker.shutdown()
