"""Rows from a database in chunks, within one consistent snapshot. Runs in the child: no ORM, no framework."""

import contextlib
import re
import sqlite3
from collections.abc import Iterator

from tasks.exports.source import CHUNK_ROWS, Chunk, Query, Source, SqliteSource


def read(source: Source, query: Query) -> contextlib.AbstractContextManager[tuple[int, Iterator[Chunk]]]:
    """(number of rows, chunks of them), both of the moment at which this began, whatever is written in the meantime."""
    if isinstance(source, SqliteSource):
        return _read_sqlite(source, query)
    # Only a child that reads PostgreSQL pays for its driver's memory.
    from tasks.exports.reading_postgres import read_postgres

    return read_postgres(source, query)


@contextlib.contextmanager
def _read_sqlite(source: SqliteSource, query: Query) -> Iterator[tuple[int, Iterator[Chunk]]]:
    # A driver that begins transactions on its own would not hold one open for a SELECT.
    connection = sqlite3.connect(source.path, isolation_level=None, timeout=30)
    with contextlib.closing(connection):
        connection.execute("PRAGMA query_only = ON")
        connection.create_function("regexp", 2, _regexp, deterministic=True)
        connection.execute("BEGIN")
        (total,) = connection.execute(query.count, query.parameters).fetchone()
        cursor = connection.execute(query.rows, query.parameters)
        yield total, iter(lambda: cursor.fetchmany(CHUNK_ROWS), [])


def _regexp(pattern: str, text: str | None) -> bool | None:
    """`text REGEXP pattern`, which SQLite has the syntax for and no meaning of its own."""
    return None if text is None else re.search(pattern, str(text)) is not None
