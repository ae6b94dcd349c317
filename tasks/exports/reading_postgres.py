"""The PostgreSQL side of reading: a server-side cursor in a read-only, repeatable-read transaction."""

import asyncio
import contextlib
from collections.abc import Callable, Iterator
from typing import Any

import asyncpg

from tasks.exports.source import CHUNK_ROWS, Chunk, PostgresSource, Query

CLOSE_S = 5
"""How long the server may take to answer the goodbye."""


@contextlib.contextmanager
def read_postgres(source: PostgresSource, query: Query) -> Iterator[tuple[int, Iterator[Chunk]]]:
    # The writers pull rows from a plain iterator, so the loop turns just for as long as a chunk takes.
    with asyncio.Runner() as runner:
        connection = runner.run(asyncpg.connect(**source.connect))
        try:
            total, fetch = runner.run(_open_cursor(connection, query))
            yield total, iter(lambda: runner.run(fetch(CHUNK_ROWS)), [])
        finally:
            # Said goodbye to, not just dropped: a connection that the loop never closes would hold its snapshot on.
            runner.run(connection.close(timeout=CLOSE_S))


async def _open_cursor(connection: Any, query: Query) -> tuple[int, Callable[[int], Any]]:
    await connection.transaction(isolation="repeatable_read", readonly=True).start()
    total = await connection.fetchval(query.count, *query.parameters)
    cursor = await connection.cursor(query.rows, *query.parameters)
    return total, cursor.fetch
