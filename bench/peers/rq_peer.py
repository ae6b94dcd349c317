"""RQ's client, results not kept. It is synchronous."""

import asyncio
import os
import time

from redis import Redis
from rq import Queue

from bench.peers.rq_jobs import busy, noop


def queue() -> Queue:
    """The queue, over a connection of its own."""
    return Queue("bench", connection=Redis.from_url(os.environ["BENCH_URL"]))


async def pickup(count: int, pause_s: float) -> None:
    """Enqueue `count` jobs one by one, each to an idle worker."""
    to = queue()
    for _ in range(count):
        to.enqueue(noop, time.monotonic_ns(), result_ttl=0)
        await asyncio.sleep(pause_s)


async def fill(count: int, *, bulk: bool) -> float:
    """Enqueue `count` jobs. Answers seconds."""
    to = queue()
    begun_s = time.perf_counter()
    if bulk:
        to.enqueue_many([Queue.prepare_data(noop, (0,), result_ttl=0) for _ in range(count)])
    else:
        for _ in range(count):
            to.enqueue(noop, 0, result_ttl=0)
    return time.perf_counter() - begun_s


async def long(seconds: float) -> None:
    """Enqueue one job that is busy for `seconds`."""
    queue().enqueue(busy, seconds, result_ttl=0)
