"""Jobs as rows of an export, read from the queue's state."""

from collections.abc import AsyncIterator, Sequence
from datetime import UTC, datetime
from typing import Any

from service.engine.states import State
from service.engine.store import Job, Store, keys
from tasks.exports.query import sqlite_moment

CHUNK_JOBS = 1_000
"""Records one round trip brings: some megabytes, and milliseconds of the server's time."""


async def job_rows(store: Store, owner: str | None) -> AsyncIterator[Sequence[tuple[Any, ...]]]:
    """The owner's jobs (everybody's for None) in the columns of the dataset, newest first.

    Which jobs there are is settled at the start: newer ones lie above the first page's end. Each page of ids is read in
    one transaction, so that a job which changes its state meanwhile is neither missed nor met twice.
    """
    indexes = await _indexes(store, owner)
    top = "+inf"
    while indexes:
        pipe = store.redis.pipeline(transaction=True)
        for index in indexes:
            pipe.zrevrangebyscore(index, top, "-inf", start=0, num=CHUNK_JOBS, withscores=True)
        found = [(job_id.decode(), int(stamp)) for part in await pipe.execute() for job_id, stamp in part]
        page = sorted(found, key=lambda entry: -entry[1])[:CHUNK_JOBS]
        jobs = await store.get_many([job_id for job_id, _ in page]) if page else []
        yield [_row(job) for job in jobs if job is not None]
        if len(page) < CHUNK_JOBS:
            return
        top = f"({page[-1][1]}"


async def count_jobs(store: Store, owner: str | None) -> int:
    """How many rows `job_rows` would bring now."""
    pipe = store.redis.pipeline(transaction=False)
    for index in await _indexes(store, owner):
        pipe.zcard(index)
    return sum(await pipe.execute())


async def _indexes(store: Store, owner: str | None) -> list[str]:
    if owner is not None:
        return [keys.by_owner(owner, state) for state in State]
    return [keys.by_type(name, state) for name in await store.types() for state in State]


def _row(job: Job) -> tuple[Any, ...]:
    return (
        job.id,
        job.type,
        job.queue,
        job.owner,
        str(job.state),
        job.priority,
        _moment(job.created_ms),
        _moment(job.started_ms),
        _moment(job.finished_ms),
        job.progress,
        job.attempt,
        job.units,
        job.worker,
        job.error,
    )


def _moment(at_ms: int | None) -> str | None:
    return sqlite_moment(datetime.fromtimestamp(at_ms / 1000, UTC)) if at_ms else None
