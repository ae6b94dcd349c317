"""Rows from elsewhere, copied into an SQLite file: filters, order and snapshot are then those of any table."""

import asyncio
import contextlib
import sqlite3
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from pathlib import Path
from typing import Any


async def spool(
    path: Path,
    table: str,
    columns: Sequence[str],
    chunks: AsyncIterator[Sequence[tuple[Any, ...]]],
    report: Callable[[int], Awaitable[None]],
) -> None:
    """Make the file `path` with one table of `columns`, holding the rows. `report` is told their number so far."""
    # Each call may run on another thread of the pool, never two at once.
    connection = sqlite3.connect(path, isolation_level=None, check_same_thread=False)
    with contextlib.closing(connection):
        # Only this process has the file, and it is not needed after a crash.
        connection.execute("PRAGMA journal_mode = OFF")
        connection.execute("PRAGMA synchronous = OFF")
        connection.execute(f"CREATE TABLE {table} ({', '.join(columns)})")
        insert = f"INSERT INTO {table} VALUES ({', '.join('?' * len(columns))})"
        done = 0
        async for rows in chunks:
            await asyncio.to_thread(_insert, connection, insert, rows)
            done += len(rows)
            await report(done)


def _insert(connection: sqlite3.Connection, statement: str, rows: Sequence[tuple[Any, ...]]) -> None:
    connection.execute("BEGIN")
    connection.executemany(statement, rows)
    connection.execute("COMMIT")
