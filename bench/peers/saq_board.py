"""SAQ's own pages over many jobs: `python -m bench.peers.saq_board fill 10000`, `… serve 8080`. Four queues, as ours."""

import asyncio
import os
import sys

from aiohttp import web
from redis import Redis
from saq import Job, Queue, Status
from saq.web.aiohttp import create_app

from bench.harness.clones import Entry, Pattern, copy
from bench.harness.shares import QUEUES, SHARES, shared_out

URL = os.environ.get("BENCH_URL", "redis://127.0.0.1")
STATES = {"completed": Status.COMPLETE, "failed": Status.FAILED}


def key_of(number: int) -> str:
    """A job's key, of which its id in Redis is made. It is like no other word of a job."""
    return f"{0xB0A4D0000000 + number:012x}"


async def made(queue: Queue, state: str, number: int) -> str:
    """The key in Redis of a job that SAQ itself has taken to a state. It keeps ended ones until their time is over."""
    job = Job("read", kwargs={"file_id": "file-0123456789abcdef"}, key=key_of(number), ttl=0)
    await queue.enqueue(job)
    if state in STATES:
        taken = await queue.dequeue(timeout=5)
        assert taken is not None
        error = "This PDF is encrypted." if state == "failed" else None
        await queue.finish(taken, STATES[state], result={"pages": 12}, error=error)
    return job.id


def pattern(redis: Redis, queue: str, job_id: str) -> Pattern:
    """The job's key, and its places in the queue's list and sorted set."""
    entries = []
    if redis.lrem(f"saq:{queue}:queued", 0, job_id):
        redis.rpush(f"saq:{queue}:queued", job_id)
        entries.append(Entry(f"saq:{queue}:queued", job_id))
    score = redis.zscore(f"saq:{queue}:incomplete", job_id)
    entries += [Entry(f"saq:{queue}:incomplete", job_id, float(score))] if score is not None else []
    return Pattern(job_id.rpartition(":")[2], [job_id], entries, {})


async def fill(count: int) -> None:
    redis = Redis.from_url(URL)
    for number, (name, state) in enumerate((n, s) for n in QUEUES for s in SHARES):
        queue = Queue.from_url(URL, name=name)
        job_id = await made(queue, state, number)
        await queue.disconnect()
        copy(redis, pattern(redis, name, job_id), shared_out(count, state), first=1000)
    print("job", key_of(number))


def serve(port: int) -> None:
    web.run_app(create_app([Queue.from_url(URL, name=name) for name in QUEUES]), host="127.0.0.1", port=port)


if __name__ == "__main__":
    asyncio.run(fill(int(sys.argv[2]))) if sys.argv[1] == "fill" else serve(int(sys.argv[2]))
