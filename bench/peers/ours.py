"""Offload's client in the queue benches, with record, indexes, events and metrics as in production."""

import asyncio
import os
import time

from arq.connections import ArqRedis

from bench.peers import ours_jobs
from service.enqueue import Enqueuer
from service.lane import Lane
from service.redis import connect
from service.store import Store
from settings import load_settings


def connected() -> tuple[ArqRedis, Lane]:
    """As service/services.py connects the API."""
    url = os.environ["BENCH_URL"]
    return connect(url), Lane(url)


async def pickup(count: int, pause_s: float) -> None:
    """Enqueue `count` jobs one by one, each to an idle worker."""
    redis, lane = connected()
    enqueuer = Enqueuer(Store(redis, lane), load_settings().queues)
    for _ in range(count):
        payload = ours_jobs.Stamp(enqueued_ns=time.monotonic_ns())
        await enqueuer.enqueue(ours_jobs.bench_stamp, payload, owner="bench")
        await asyncio.sleep(pause_s)
    await lane.aclose()
    await redis.aclose()


async def fill(count: int, *, bulk: bool) -> float:
    """Enqueue `count` jobs. Answers seconds."""
    redis, lane = connected()
    enqueuer = Enqueuer(
        Store(redis, lane), {q: s.model_copy(update={"owner_limit": 10**9}) for q, s in load_settings().queues.items()}
    )
    payload = ours_jobs.Stamp(enqueued_ns=0)
    begun_s = time.perf_counter()
    if bulk:
        await enqueuer.enqueue_many(ours_jobs.bench_stamp, [payload] * count, owner="bench")
    else:
        for _ in range(count):
            await enqueuer.enqueue(ours_jobs.bench_stamp, payload, owner="bench")
    spent_s = time.perf_counter() - begun_s
    await lane.aclose()
    await redis.aclose()
    return spent_s


async def long(seconds: float) -> None:
    """Enqueue one job that is busy for `seconds`."""
    redis, lane = connected()
    enqueuer = Enqueuer(Store(redis, lane), load_settings().queues)
    await enqueuer.enqueue(ours_jobs.bench_long, ours_jobs.Long(seconds=seconds), owner="bench")
    await lane.aclose()
    await redis.aclose()
