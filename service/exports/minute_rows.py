"""Event counts a minute as rows of an export, read from the queue's state."""

from collections.abc import AsyncIterator, Sequence
from datetime import UTC, datetime
from typing import Any

from service.engine.store import Store
from service.engine.store.scripts import KEEP_MINUTES
from service.lib.clock import now_ms
from settings.queues import Queue
from tasks.exports.datasets.metrics import DATASET
from tasks.exports.query import sqlite_moment

CHUNK_MINUTES = 500

COUNTS = tuple(column.name for column in DATASET.columns[2:])
"""Counts of the dataset's columns, after the minute and the queue."""


async def metric_rows(store: Store, _owner: str | None) -> AsyncIterator[Sequence[tuple[Any, ...]]]:
    """Counts of the minutes that are kept, in the columns of the dataset; minutes without any are left out."""
    last = now_ms() // 60_000
    for start in range(last - KEEP_MINUTES, last + 1, CHUNK_MINUTES):
        minutes = range(start, min(start + CHUNK_MINUTES, last + 1))
        for queue in Queue:
            counted = await store.minutes(queue, minutes)
            yield [
                (_moment(minute), str(queue), *(counts.get(name, 0) for name in COUNTS))
                for minute, counts in zip(minutes, counted, strict=True)
                if counts
            ]


def _moment(minute: int) -> str:
    return sqlite_moment(datetime.fromtimestamp(minute * 60, UTC))
