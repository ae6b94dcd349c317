"""Dramatiq with one process of eight threads, its own default. It is synchronous, and has no results unless asked."""

import asyncio
import os
import time

import dramatiq
from dramatiq.brokers.redis import RedisBroker

from bench.harness.stamps import BEGUN, ENDED, stamp

broker = RedisBroker(url=os.environ.get("BENCH_URL", "redis://127.0.0.1"))
dramatiq.set_broker(broker)


@dramatiq.actor
def noop(enqueued_ns: int) -> None:
    """Says when it ran."""
    stamp(enqueued_ns)


@dramatiq.actor
def busy(seconds: float) -> None:
    """Says when it began, is busy for a while, and says when it ended."""
    stamp(BEGUN)
    time.sleep(seconds)
    stamp(ENDED)


async def pickup(count: int, pause_s: float) -> None:
    """Enqueue `count` jobs one by one, each to an idle worker."""
    for _ in range(count):
        noop.send(time.monotonic_ns())
        await asyncio.sleep(pause_s)


async def fill(count: int, *, bulk: bool) -> float:
    """Enqueue `count` jobs. Answers seconds; Dramatiq has no bulk form."""
    begun_s = time.perf_counter()
    for _ in range(count):
        noop.send(0)
    return time.perf_counter() - begun_s


async def long(seconds: float) -> None:
    """Enqueue one job that is busy for `seconds`."""
    busy.send(seconds)
