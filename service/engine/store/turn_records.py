"""Turns that jobs of a queue have had at its slots, as their records tell it: when they were ready, began and ended."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from service.engine.redis.client import Client
from service.engine.redis.places import of_queue
from service.engine.store import keys

AT_ONCE = 500
"""Records read in one call: other clients must not wait for it."""

FIELDS = ("owner", "priority", "cost", "ready_ms", "started_ms", "finished_ms", "parts_total")

EARLIER_MS = 86_400_000
"""Failed jobs are listed by their creation: those that were created so long before the span are found too."""


@dataclass(frozen=True)
class TurnRecord:
    """The last turn of a job, or of a part. Times in ms since the epoch."""

    id: str
    owner: str
    priority: str
    cost_ms: float
    ready_ms: float
    started_ms: float
    finished_ms: float
    parent: str = ""


@dataclass(frozen=True)
class Ended:
    """Jobs that ended in a span, and their parts by the job's id."""

    jobs: Sequence[TurnRecord] = ()
    parts: Mapping[str, Sequence[TurnRecord]] = field(default_factory=dict)


async def ended_turns(redis: Client, queue: str, begin_ms: int, end_ms: int, most: int) -> Ended:
    """Turns of the last `most` jobs and as many parts. One that was cancelled before it began had none."""
    redis = of_queue(redis, queue)
    ids = list(await redis.zrevrangebyscore(keys.finished(queue), f"({end_ms}", begin_ms, start=0, num=most))
    for name in sorted(await redis.smembers(keys.types(queue))):
        stamps = ((begin_ms - EARLIER_MS) * 1000, f"({end_ms * 1000}")
        ids += await redis.zrangebyscore(keys.by_type(name.decode(), "failed"), *stamps, start=0, num=most)
    found = await _records(redis, [one.decode() for one in ids[:most]], {})
    jobs = [job for job, _ in found if begin_ms <= job.finished_ms < end_ms]
    parents: dict[str, str] = {}
    for job, parts_total in found:
        if parts_total and len(parents) < most:
            parents |= {one.decode(): job.id for one in await redis.lrange(keys.parts(job.id), 0, -1)}
    parts: dict[str, list[TurnRecord]] = {}
    for part, _ in await _records(redis, list(parents)[:most], parents):
        parts.setdefault(part.parent, []).append(part)
    return Ended(jobs, parts)


async def _records(redis: Client, ids: Sequence[str], parents: Mapping[str, str]) -> list[tuple[TurnRecord, int]]:
    """Turns, and the number of parts of each."""
    found = []
    for start in range(0, len(ids), AT_ONCE):
        chunk = ids[start : start + AT_ONCE]
        pipe = redis.pipeline(transaction=False)
        for job_id in chunk:
            pipe.hmget(keys.job(job_id), *FIELDS)
        for job_id, row in zip(chunk, await pipe.execute(), strict=True):
            owner, priority, cost, ready, started, finished, parts_total = row
            if owner and started and finished:
                times = (float(cost or 0), float(ready or started), float(started), float(finished))
                turn = TurnRecord(
                    job_id, owner.decode(), (priority or b"normal").decode(), *times, parents.get(job_id, "")
                )
                found.append((turn, int(parts_total or 0)))
    return found
