"""RQ's jobs for rq-dashboard: `python -m bench.peers.rq_board 10000`. Four queues, as ours."""

import os
import sys

from redis import Redis
from rq import Queue, SimpleWorker
from rq.job import Job

from bench.harness.clones import Entry, Pattern, copy
from bench.harness.shares import QUEUES, SHARES, shared_out


def read(file_id: str) -> dict[str, int]:
    """A job that is done at once."""
    if not file_id:
        raise ValueError("This PDF is encrypted: it opens only with a password.")
    return {"pages": 12}


def made(redis: Redis, name: str, state: str) -> Job:
    """A job that RQ itself has taken to a state."""
    queue = Queue(name, connection=redis)
    file_id = "" if state == "failed" else "file-0123456789abcdef"
    job = queue.enqueue(read, file_id, result_ttl=-1, failure_ttl=-1)
    if state != "queued":
        SimpleWorker([queue], connection=redis).work(burst=True, logging_level="ERROR")
    return job


def pattern(redis: Redis, name: str, job: Job, state: str) -> Pattern:
    """The job's hash and results, and its place in the queue's list or in a registry."""
    keys = [key for key in (f"rq:job:{job.id}", f"rq:results:{job.id}") if redis.exists(key)]
    if state == "queued":
        return Pattern(job.id, keys, [Entry(f"rq:queue:{name}", job.id)], {})
    registry = f"rq:{'finished' if state == 'completed' else 'failed'}:{name}"
    return Pattern(job.id, keys, [Entry(registry, job.id, float(redis.zscore(registry, job.id) or 0))], {})


def fill(count: int) -> None:
    redis = Redis.from_url(os.environ["BENCH_URL"])
    for state in SHARES:
        for name in QUEUES:
            job = made(redis, name, state)
            copy(redis, pattern(redis, name, job, state), shared_out(count, state))
        print("job" if state == "failed" else state, job.id, flush=True)


if __name__ == "__main__":
    # By its full name, so that workers find it again.
    from bench.peers import rq_board

    rq_board.fill(int(sys.argv[1]))
