"""Celery with one prefork child, results off, and acknowledgement after the job: without it a killed worker loses it."""

import asyncio
import os
import time

from celery import Celery

from bench.harness.stamps import BEGUN, ENDED, stamp

app = Celery("bench", broker=os.environ.get("BENCH_URL", "redis://127.0.0.1"))
app.conf.update(task_ignore_result=True, task_acks_late=True, task_reject_on_worker_lost=True)


@app.task
def noop(enqueued_ns: int) -> None:
    """Says when it ran."""
    stamp(enqueued_ns)


@app.task
def busy(seconds: float) -> None:
    """Says when it began, is busy for a while, and says when it ended."""
    stamp(BEGUN)
    time.sleep(seconds)
    stamp(ENDED)


async def pickup(count: int, pause_s: float) -> None:
    """Enqueue `count` jobs one by one, each to an idle worker."""
    for _ in range(count):
        noop.delay(time.monotonic_ns())
        await asyncio.sleep(pause_s)


async def fill(count: int, *, bulk: bool) -> float:
    """Enqueue `count` jobs. Answers seconds; Celery has no bulk form."""
    begun_s = time.perf_counter()
    for _ in range(count):
        noop.delay(0)
    return time.perf_counter() - begun_s


async def long(seconds: float) -> None:
    """Enqueue one job that is busy for `seconds`."""
    busy.delay(seconds)
