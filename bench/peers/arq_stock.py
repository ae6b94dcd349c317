"""arq as it comes, and arq that polls every 5 ms with 100 jobs at once."""

import asyncio
import os
import time
from typing import Any

from arq import create_pool
from arq.connections import RedisSettings

from bench.harness.stamps import BEGUN, ENDED, stamp


async def noop(ctx: dict[Any, Any], enqueued_ns: int) -> None:
    """Says when it ran."""
    stamp(enqueued_ns)


async def busy(ctx: dict[Any, Any], seconds: float) -> None:
    """Says when it began, is busy for a while, and says when it ended."""
    stamp(BEGUN)
    await asyncio.sleep(seconds)
    stamp(ENDED)


class Stock:
    functions = [noop, busy]
    keep_result = 0
    redis_settings = RedisSettings.from_dsn(os.environ.get("BENCH_URL", "redis://127.0.0.1"))


class Eager:
    functions = [noop]
    keep_result = 0
    poll_delay = 0.005
    max_jobs = 100
    redis_settings = RedisSettings.from_dsn(os.environ.get("BENCH_URL", "redis://127.0.0.1"))


async def pickup(count: int, pause_s: float) -> None:
    """Enqueue `count` jobs one by one, each to an idle worker."""
    pool = await create_pool(RedisSettings.from_dsn(os.environ["BENCH_URL"]))
    for _ in range(count):
        await pool.enqueue_job("noop", time.monotonic_ns())
        await asyncio.sleep(pause_s)
    await pool.aclose(close_connection_pool=True)


async def fill(count: int, *, bulk: bool) -> float:
    """Enqueue `count` jobs. Answers seconds; arq has no bulk form."""
    pool = await create_pool(RedisSettings.from_dsn(os.environ["BENCH_URL"]))
    begun_s = time.perf_counter()
    for _ in range(count):
        await pool.enqueue_job("noop", 0)
    spent_s = time.perf_counter() - begun_s
    await pool.aclose(close_connection_pool=True)
    return spent_s


async def long(seconds: float) -> None:
    """Enqueue one job that is busy for `seconds`."""
    pool = await create_pool(RedisSettings.from_dsn(os.environ["BENCH_URL"]))
    await pool.enqueue_job("busy", seconds)
    await pool.aclose(close_connection_pool=True)
