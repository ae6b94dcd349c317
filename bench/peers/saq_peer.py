"""SAQ with 100 jobs at once and no results kept."""

import asyncio
import contextlib
import os
import time
from typing import Any

from redis.asyncio import Redis
from redis.exceptions import RedisError
from saq.queue.redis import RedisQueue

from bench.harness.stamps import BEGUN, ENDED, stamp

BEAT_S = 4
"""Between two heartbeats of the long job: SAQ gives a job back only where one was promised."""

# Every one of its hundred slots waits on a connection of its own, and redis-py allows a hundred in all unless asked.
address = os.environ.get("BENCH_URL", "redis://127.0.0.1")
queue = RedisQueue(Redis.from_url(address, max_connections=200))


async def noop(ctx: dict[str, Any], *, enqueued_ns: int) -> None:
    """Says when it ran."""
    stamp(enqueued_ns)


async def busy(ctx: dict[str, Any], *, seconds: float) -> None:
    """Says when it began, is busy for a while with a heart that beats, and says when it ended."""
    stamp(BEGUN)
    until_s = time.monotonic() + seconds
    while (left_s := until_s - time.monotonic()) > 0:
        await asyncio.sleep(min(BEAT_S, left_s))
        # What beats for it in the bench is allowed to fail: the work goes on while the server is away.
        with contextlib.suppress(RedisError):
            await ctx["job"].update()
    stamp(ENDED)


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
    """Enqueue one job that is busy for `seconds`: with the timeout, heartbeat and tries that let it and bring it back."""
    await queue.enqueue("busy", seconds=seconds, timeout=600, heartbeat=10, retries=3)
    await queue.disconnect()
