"""Offload's client in the queue benches, with record, indexes, events and metrics as in production."""

import asyncio
import contextlib
import os
import time
from collections.abc import AsyncIterator

from bench.peers import ours_jobs
from service.engine.enqueuer import Enqueuer
from service.engine.redis.client import connect
from service.engine.redis.command_connection import CommandConnection
from service.engine.store import Store
from settings import load_settings
from tasks.sdk.types import REGISTRY


@contextlib.asynccontextmanager
async def enqueuing(**changes: int) -> AsyncIterator[Enqueuer]:
    """An `Enqueuer` connected as service/services.py does it; `changes` are settings of every queue."""
    url = os.environ["BENCH_URL"]
    redis, commands = connect(url), CommandConnection(url)
    yield Enqueuer(Store(redis, commands), {q: s.model_copy(update=changes) for q, s in load_settings().queues.items()})
    await commands.aclose()
    await redis.aclose()


async def pickup(count: int, pause_s: float) -> None:
    """Enqueue `count` jobs one by one, each to an idle worker."""
    async with enqueuing() as enqueuer:
        for _ in range(count):
            payload = ours_jobs.Stamp(enqueued_ns=time.monotonic_ns())
            await enqueuer.enqueue(ours_jobs.bench_stamp, payload, owner="bench")
            await asyncio.sleep(pause_s)


async def fill(count: int, *, bulk: bool) -> float:
    """Enqueue `count` jobs. Answers seconds."""
    async with enqueuing(owner_limit=10**9) as enqueuer:
        payload = ours_jobs.Stamp(enqueued_ns=0)
        begun_s = time.perf_counter()
        if bulk:
            await enqueuer.enqueue_many(ours_jobs.bench_stamp, [payload] * count, owner="bench")
        else:
            for _ in range(count):
                await enqueuer.enqueue(ours_jobs.bench_stamp, payload, owner="bench")
        return time.perf_counter() - begun_s


async def fill_keyed(count: int, name: str) -> None:
    """Enqueue `count` jobs of a type with limits, of 50 values of their key in turn."""
    async with enqueuing(owner_limit=10**9) as enqueuer:
        payloads = [ours_jobs.Keyed(enqueued_ns=0, key=f"key-{n % 50}") for n in range(count)]
        await enqueuer.enqueue_many(REGISTRY[name], payloads, owner="bench")


async def long(seconds: float) -> None:
    """Enqueue one job that is busy for `seconds`."""
    async with enqueuing() as enqueuer:
        await enqueuer.enqueue(ours_jobs.bench_long, ours_jobs.Long(seconds=seconds), owner="bench")
