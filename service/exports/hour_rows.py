"""Figures of each job type and hour as rows of an export."""

from collections.abc import AsyncIterator, Sequence
from datetime import UTC, datetime
from typing import Any

from service.engine.store import Store
from service.monitoring.metrics import Figures, Metrics
from settings.queues import Queue
from tasks.exports.datasets.metrics_hourly import DATASET
from tasks.exports.query import sqlite_moment

KEEP_HOURS = 35 * 24
"""Hours for which figures are kept."""

COUNTS = tuple(column.name for column in DATASET.columns[3:] if not column.name.startswith(("wait_", "run_")))
"""Counts of the dataset's columns, between the type and the percentiles."""

SHARES = (0.50, 0.95, 0.99)


async def metric_hour_rows(store: Store, _owner: str | None) -> AsyncIterator[Sequence[tuple[Any, ...]]]:
    """Figures of the hours that are kept, in the columns of the dataset."""
    metrics = Metrics(store.redis)
    for queue in Queue:
        for span in await metrics.spans("hour", queue, KEEP_HOURS):
            hour = sqlite_moment(datetime.fromtimestamp(span.start_ms / 1000, UTC))
            rows = [(hour, str(queue), name, *_figures(figures)) for name, figures in sorted(span.types.items())]
            if rows:
                yield rows


def _figures(figures: Figures) -> list[int | None]:
    waits = [figures.wait_ms(share) for share in SHARES]
    runs = [figures.run_ms(share) for share in SHARES]
    return [figures[event] for event in COUNTS] + [None if ms is None else round(ms) for ms in (*waits, *runs)]
