"""Job types with limits over keys. They measure themselves: a line in the ledger as each begins and as it ends."""

import asyncio
import time

import msgspec

from settings.queues import Queue
from tasks.sdk import Payload, Run, job
from tests.engine.probe import write_ledger


class Touch(Payload):
    file_id: str | None = None
    size: int = 0
    hold_s: float = 0.0


@job(queue=Queue.THUMBNAILS, public=False, retries=3, backoff_s=0.01, limit={"owner": 3}, one_at_a_time="file_id")
async def limited_touch(payload: Touch, run: Run) -> None:
    """Touches a file for a while."""
    write_ledger("in", run.job_id, run.owner, payload.file_id, time.time())
    await asyncio.sleep(payload.hold_s)
    write_ledger("out", run.job_id, run.owner, payload.file_id, time.time())


class Call(Payload):
    host: str


@job(queue=Queue.THUMBNAILS, public=False, rate={"host": (3, "minute")})
async def limited_call(payload: Call, run: Run) -> None:
    """Calls a host that takes so many calls."""
    write_ledger("call", run.job_id, payload.host)


KNOWN = msgspec.msgpack.encode(["probe-echo", "limited-touch", "limited-call"])
