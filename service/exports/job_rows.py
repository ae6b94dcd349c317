"""Jobs as rows of an export, read from the queue's state."""

from collections.abc import AsyncIterator, Sequence
from datetime import UTC, datetime
from typing import Any

from service.engine.store import Job, Store
from tasks.exports.query import sqlite_moment

CHUNK_JOBS = 1_000
"""Records one round trip brings: some megabytes, and milliseconds of the server's time."""


async def job_rows(store: Store, owner: str | None) -> AsyncIterator[Sequence[tuple[Any, ...]]]:
    """The owner's jobs (everybody's for None) in the columns of the dataset, newest first."""
    async for jobs in store.walk(owner, CHUNK_JOBS):
        yield [_row(job) for job in jobs]


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
