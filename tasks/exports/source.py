"""`Source` and `Query`: the database that an export reads, and the rows that it asks for."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

CHUNK_ROWS = 1_000
"""Rows in memory at a time: enough that the cost of a chunk is lost in that of its rows."""

Chunk = Sequence[Sequence[Any]]


@dataclass(frozen=True)
class Query:
    """SQL that counts the rows and SQL that reads them, with the parameters of both."""

    count: str
    rows: str
    parameters: tuple[Any, ...]


@dataclass(frozen=True)
class SqliteSource:
    """A database file. Moments are text in it, as `YYYY-MM-DD HH:MM:SS.ffffff` in UTC; flags are 0 and 1."""

    path: str


@dataclass(frozen=True)
class PostgresSource:
    """Arguments of `asyncpg.connect`."""

    connect: Mapping[str, Any]


Source = SqliteSource | PostgresSource
