"""Offload's client in the queue benches, with record, indexes, events and metrics as in production."""

import asyncio
import os
import time

from bench.peers import ours_jobs
from service.enqueue import Enqueuer
from service.redis import connect_alone
from service.store import Store
from settings import load_settings


async def pickup(count: int, pause_s: float) -> None:
    """Enqueue `count` jobs one by one, each to an idle worker."""
    redis = connect_alone(os.environ["BENCH_URL"])
    enqueuer = Enqueuer(Store(redis), load_settings().queues)
    for _ in range(count):
        payload = ours_jobs.Stamp(enqueued_ns=time.monotonic_ns())
        await enqueuer.enqueue(ours_jobs.bench_stamp, payload, owner="bench")
        await asyncio.sleep(pause_s)
    await redis.aclose()


async def fill(count: int, *, bulk: bool) -> float:
    """Enqueue `count` jobs. Answers seconds."""
    redis = connect_alone(os.environ["BENCH_URL"])
    enqueuer = Enqueuer(
        Store(redis), {q: s.model_copy(update={"owner_limit": 10**9}) for q, s in load_settings().queues.items()}
    )
    payload = ours_jobs.Stamp(enqueued_ns=0)
    begun_s = time.perf_counter()
    if bulk:
        await enqueuer.enqueue_many(ours_jobs.bench_stamp, [payload] * count, owner="bench")
    else:
        for _ in range(count):
            await enqueuer.enqueue(ours_jobs.bench_stamp, payload, owner="bench")
    spent_s = time.perf_counter() - begun_s
    await redis.aclose()
    return spent_s


async def long(seconds: float) -> None:
    """Enqueue one job that is busy for `seconds`."""
    redis = connect_alone(os.environ["BENCH_URL"])
    enqueuer = Enqueuer(Store(redis), load_settings().queues)
    await enqueuer.enqueue(ours_jobs.bench_long, ours_jobs.Long(seconds=seconds), owner="bench")
    await redis.aclose()
