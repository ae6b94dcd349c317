"""The no-op job and a long one, as Offload's job types are declared."""

import asyncio

from bench.harness.stamps import BEGUN, ENDED, stamp
from settings.queues import Queue
from tasks.sdk import Payload, Run, job


class Stamp(Payload):
    enqueued_ns: int


@job(queue=Queue.THUMBNAILS, public=False)
async def bench_stamp(payload: Stamp, run: Run) -> None:
    """Says when it ran."""
    stamp(payload.enqueued_ns)


class Keyed(Payload):
    enqueued_ns: int
    key: str


@job(queue=Queue.THUMBNAILS, public=False, limit={"key": 1_000})
async def bench_one_key(payload: Keyed, run: Run) -> None:
    """As bench_stamp, with a key that has room for all."""
    stamp(payload.enqueued_ns)


@job(queue=Queue.THUMBNAILS, public=False, limit={"key": 1_000, "owner": 1_000}, rate={"key": (10_000, "second")})
async def bench_two_keys(payload: Keyed, run: Run) -> None:
    """As bench_stamp, with two keys and a rate that have room for all."""
    stamp(payload.enqueued_ns)


@job(queue=Queue.THUMBNAILS, public=False, limit={"key": 2})
async def bench_full_key(payload: Keyed, run: Run) -> None:
    """As bench_stamp, with keys that are full most of the time."""
    stamp(payload.enqueued_ns)


class Long(Payload):
    seconds: float


@job(queue=Queue.THUMBNAILS, public=False, timeout_s=600)
async def bench_long(payload: Long, run: Run) -> None:
    """Says when it began, is busy for a while, and says when it ended."""
    stamp(BEGUN)
    await asyncio.sleep(payload.seconds)
    stamp(ENDED)
