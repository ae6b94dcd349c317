"""The last runs of a task, and the repetitions of a job: from the ends of indexes, whatever their number."""

from collections.abc import Sequence
from dataclasses import dataclass

from service.engine.redis.client import Client
from service.engine.redis.places import of_queue
from service.engine.states import TERMINAL, State
from service.engine.store import keys

ORIGIN = "origin"
"""The search key of every job type by which the repetitions of a job are found."""

TAG = "tag"
"""The search key by which jobs are found whose result has `tags`, such as doubtful."""


@dataclass(frozen=True)
class PastRun:
    """A job that has ended. `ran_ms` is the time of its last attempt; None where it was never started."""

    job_id: str
    state: State
    created_ms: int
    finished_ms: int
    ran_ms: int | None


async def last_runs(redis: Client, queue: str, job_type: str, count: int) -> Sequence[PastRun]:
    """The newest `count` ended jobs of a type of a queue, oldest first. Payloads, which may be large, are not read."""
    pipe = of_queue(redis, queue).pipeline(transaction=False)
    for state in TERMINAL:
        pipe.zrevrangebyscore(keys.by_type(job_type, state), "+inf", "-inf", start=0, num=count, withscores=True)
    answers = await pipe.execute()
    rows = [
        (int(stamp), job_id.decode(), s) for s, rows in zip(TERMINAL, answers, strict=True) for job_id, stamp in rows
    ]
    newest = sorted(rows, reverse=True)[:count][::-1]
    for _, job_id, _ in newest:
        pipe.hmget(keys.job(job_id), "created_ms", "started_ms", "finished_ms")
    times = await pipe.execute() if newest else []
    return [_run(job_id, state, row) for (_, job_id, state), row in zip(newest, times, strict=True) if row[2]]


async def repetitions(redis: Client, queue: str, job_id: str, count: int) -> tuple[Sequence[str], int]:
    """Ids of the newest `count` jobs that repeat a job of a queue, and how many there are."""
    pipe = of_queue(redis, queue).pipeline(transaction=False)
    pipe.zrevrange(keys.found_by(ORIGIN, job_id), 0, count - 1)
    pipe.zcard(keys.found_by(ORIGIN, job_id))
    newest, total = await pipe.execute()
    return [one.decode() for one in newest], total


def _run(job_id: str, state: State, times: Sequence[bytes | None]) -> PastRun:
    created_ms, started_ms, finished_ms = (int(float(value)) if value else None for value in times)
    ended_ms = finished_ms or 0
    ran_ms = max(0, ended_ms - started_ms) if started_ms else None
    return PastRun(job_id, state, created_ms or ended_ms, ended_ms, ran_ms)
