"""The PostgreSQL side of reading: a server-side cursor in a read-only, repeatable-read transaction."""

import asyncio
import contextlib
from collections.abc import Callable, Coroutine, Iterator
from typing import Any

import asyncpg

from tasks.exports.source import CHUNK_ROWS, Chunk, PostgresSource, Query
from tasks.sdk.errors import Unreachable

CLOSE_S = 5
"""Seconds that the server may take to answer the goodbye."""


@contextlib.contextmanager
def read_postgres(source: PostgresSource, query: Query) -> Iterator[tuple[int, Iterator[Chunk]]]:
    # The writers pull rows from a plain iterator, so the loop turns just for as long as a chunk takes.
    with asyncio.Runner() as runner:
        connection = _run(runner, asyncpg.connect(**source.connect))
        try:
            total, fetch = _run(runner, _open_cursor(connection, query))
            yield total, iter(lambda: _run(runner, fetch(CHUNK_ROWS)), [])
        finally:
            # Closed and not just dropped: a connection that the loop never closes would hold its snapshot on. One that
            # the server has closed needs no goodbye, and must not hide why.
            with contextlib.suppress(OSError, asyncpg.PostgresError, asyncpg.InterfaceError):
                runner.run(connection.close(timeout=CLOSE_S))


def _run(runner: asyncio.Runner, step: Coroutine[Any, Any, Any]) -> Any:
    """Raises Unreachable for an OSError: once it has left the child, nothing tells that it was about the database."""
    try:
        return runner.run(step)
    except OSError as error:
        why = "connection refused" if isinstance(error, ConnectionRefusedError) else "connection lost"
        raise Unreachable("database", why) from error


async def _open_cursor(connection: Any, query: Query) -> tuple[int, Callable[[int], Any]]:
    await connection.transaction(isolation="repeatable_read", readonly=True).start()
    total = await connection.fetchval(query.count, *query.parameters)
    cursor = await connection.cursor(query.rows, *query.parameters)
    return total, cursor.fetch
