"""`Records`: the datasets' rows, in the database or with the queue's state."""

from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from pathlib import Path
from typing import Any

from service.database import Database
from service.database.postgres_url import asyncpg_arguments
from service.engine.redis.away import partial_reads
from service.engine.store import Store
from service.exports.hour_rows import metric_hour_rows
from service.exports.job_rows import job_rows
from service.exports.minute_rows import metric_rows
from service.exports.spool import spool
from service.lib.single_flight import SharedByKey
from tasks.exports.dataset import Keeper
from tasks.exports.query import to_query
from tasks.exports.selection import Selection
from tasks.exports.source import PostgresSource, Query, Source, SqliteSource

COUNT_MAX = 1_000_000
"""Rows counted for an estimate. A request waits for the count, and beyond this the answer is "minutes" anyway."""

COUNT_FRESH_S = 2.0
"""Seconds for which a count is used again: as long as the other parts of an estimate. A client that asks for one selection a
hundred times a second has it counted once in that time."""

COUNTS_MAX = 1_000
"""Selections whose counts are kept."""

QUEUE_ROWS: dict[str, Callable[[Store, str | None], AsyncIterator[Sequence[tuple[Any, ...]]]]] = {
    "jobs": job_rows,
    "metrics": metric_rows,
    "metrics-hourly": metric_hour_rows,
}
"""Readers of the datasets that are kept with the queue's state."""


class Records:
    """Implements the port of tasks/ports/exports.py."""

    def __init__(self, database: Database, store: Store) -> None:
        self._database = database
        self._store = store
        self._counts = SharedByKey(self._counted, fresh_s=COUNT_FRESH_S, most=COUNTS_MAX)

    async def count(self, selection: Selection) -> int:
        """Rows of the selection COUNT_FRESH_S ago at the earliest, at most COUNT_MAX; of jobs, those before the filters; of
        metrics, 0 for not known."""
        if selection.dataset.keeper is Keeper.QUEUE:
            # An estimate is worth no refusal.
            with partial_reads():
                return await self._store.count(selection.owner) if selection.dataset.name == "jobs" else 0
        return await self._counts(to_query(selection, postgres=not self._database.sqlite, limit=COUNT_MAX))

    async def _counted(self, query: Query) -> int:
        async with self._database.engine.connect() as connection:
            found = await connection.exec_driver_sql(query.count, query.parameters)
            return int(found.scalar_one())

    async def prepare(
        self, selection: Selection, folder: Path, report: Callable[[int], Awaitable[None]]
    ) -> tuple[Source, Query]:
        """See the port."""
        dataset = selection.dataset
        if dataset.keeper is Keeper.DATABASE:
            return self._source(), to_query(selection, postgres=not self._database.sqlite)
        rows = QUEUE_ROWS[dataset.name](self._store, selection.owner)
        path = folder / "rows.db"
        await spool(path, dataset.table, [column.name for column in dataset.columns], rows, report)
        return SqliteSource(str(path)), to_query(selection, postgres=False)

    def _source(self) -> Source:
        url = self._database.url
        if self._database.sqlite:
            return SqliteSource(str(url.database))
        # A statement of an export may take as long as the export.
        return PostgresSource(asyncpg_arguments(url) | {"command_timeout": None})
