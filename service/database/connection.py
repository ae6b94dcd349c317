"""Engine and sessions. Reading and writing are told apart, because SQLite needs to know before a transaction begins."""

import asyncio
import sqlite3
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, closing
from pathlib import Path
from typing import Any

from sqlalchemy import Connection, event, make_url, text
from sqlalchemy.engine import CursorResult, Engine
from sqlalchemy.ext.asyncio import AsyncEngine, AsyncSession, async_sessionmaker, create_async_engine
from sqlalchemy.pool import NullPool
from sqlalchemy.sql.dml import UpdateBase

from service.database.migrate import migrate
from service.database.postgres_url import check_files, split_url
from service.database.sqlite_anchor import Anchor
from service.database.sqlite_threads import SqliteThreads

BUSY_TIMEOUT_MS = 30_000
"""Seconds that a writer waits for another process's transaction before SQLite says "database is locked"."""

POOL_CONNECTIONS = 10
"""PostgreSQL connections a process keeps; 10 more may open under load. Five processes stay below its default 100."""


POOL_WAIT_S = 10.0
"""Seconds that a request waits for a connection while all are taken."""


class Database:
    """Sessions on one database. `reading()` for queries, `writing()` for a transaction that is committed at its end."""

    def __init__(self, url: str) -> None:
        self.url = make_url(url)
        self._anchor: Anchor | None = None
        if self.sqlite:
            if self.url.database:
                Path(self.url.database).parent.mkdir(parents=True, exist_ok=True)
            self.engine = create_async_engine(self.url, poolclass=NullPool, hide_parameters=True)
            self._threads = SqliteThreads(self.engine.sync_engine)
            teach_sqlite(self.engine.sync_engine)
        else:
            check_files(self.url)
            plain, arguments = split_url(self.url)
            # A connection that the server closed in the meantime is noticed before it is used.
            self.engine = create_async_engine(
                plain,
                connect_args=arguments,
                pool_size=POOL_CONNECTIONS,
                max_overflow=10,
                pool_timeout=POOL_WAIT_S,
                pool_pre_ping=True,
                # Texts of errors are logged and shown: addresses and bodies have no place there.
                hide_parameters=True,
            )
        self.reading = async_sessionmaker(self.engine, expire_on_commit=False)
        self._writing = async_sessionmaker(
            self.engine.execution_options(sqlite_begin="IMMEDIATE"), expire_on_commit=False
        )

    @property
    def sqlite(self) -> bool:
        return self.url.get_backend_name() == "sqlite"

    async def migrate(self) -> None:
        """Bring the schema up to date. Processes that start together wait for the first, which does it."""
        if self.sqlite and self.url.database:
            await asyncio.to_thread(write_ahead, self.url.database)
            self._anchor = self._anchor or await asyncio.to_thread(Anchor, Path(self.url.database))
        engine = self.engine if self.sqlite else self._migration_engine()
        try:
            async with engine.execution_options(sqlite_begin="IMMEDIATE").begin() as connection:
                await connection.run_sync(migrate)
        finally:
            if engine is not self.engine:
                await engine.dispose()

    def _migration_engine(self) -> AsyncEngine:
        """One connection whose statements take as long as they take: another process may migrate for minutes."""
        plain, arguments = split_url(self.url)
        limits = {"command_timeout": None}
        return create_async_engine(plain, connect_args=arguments | limits, poolclass=NullPool, hide_parameters=True)

    @asynccontextmanager
    async def writing(self) -> AsyncIterator[AsyncSession]:
        """A session in a transaction that holds the right to write: committed at the end, rolled back on an error."""
        async with self._writing() as session, session.begin():
            yield session

    async def check(self) -> None:
        """Raise what keeps the database from answering."""
        async with self.reading() as session:
            await session.execute(text("SELECT 1"))

    async def close(self) -> None:
        """Close every connection. Nothing of them is left that could outlive the event loop."""
        await self.engine.dispose()
        if self.sqlite:
            await self._threads.end()
        if self._anchor is not None:
            await asyncio.to_thread(self._anchor.close)
            self._anchor = None


async def changed_rows(session: AsyncSession, statement: UpdateBase) -> int:
    """Number of rows that an UPDATE or a DELETE has changed or removed."""
    result = await session.execute(statement)
    assert isinstance(result, CursorResult)
    return result.rowcount


@asynccontextmanager
async def open_database(url: str) -> AsyncIterator[Database]:
    """The database at `url`, migrated, closed at the end."""
    database = Database(url)
    try:
        await database.migrate()
        yield database
    finally:
        await database.close()


def write_ahead(file: str) -> None:
    """Have the SQLite database in `file`, which is made if there is none, keep a write-ahead log from now on.

    Of several processes that find a new file, one does it and the others ask again: a process that reads the file while it
    changes hands is told "database is locked" at once, because SQLite's own patience could only end in a deadlock
    there. Raises sqlite3.OperationalError after BUSY_TIMEOUT_MS, or for what else keeps the file from being opened.
    """
    until = time.monotonic() + BUSY_TIMEOUT_MS / 1000
    with closing(sqlite3.connect(file, isolation_level=None)) as connection:
        while True:
            try:
                connection.execute("PRAGMA journal_mode = WAL")
                return
            except sqlite3.OperationalError as error:
                if error.sqlite_errorcode & 0xFF != sqlite3.SQLITE_BUSY or time.monotonic() > until:
                    raise
            time.sleep(0.01)


def teach_sqlite(engine: Engine) -> None:
    """Several processes on one file, which keeps a write-ahead log: patience, and transactions that we begin ourselves.

    The driver's own implicit BEGIN is deferred: a transaction that reads and then writes would fail at once, without
    waiting, when another process wrote in between. See SQLite's documentation on BEGIN IMMEDIATE and WAL.
    """

    @event.listens_for(engine, "connect")
    def _configure(connection: Any, _record: Any) -> None:
        connection.isolation_level = None
        cursor = connection.cursor()
        cursor.execute(f"PRAGMA busy_timeout = {BUSY_TIMEOUT_MS}")
        # With the log kept in place nothing else brings a commit to the disk: a power cut would cost the last of them.
        cursor.execute("PRAGMA synchronous = FULL")
        cursor.execute("PRAGMA foreign_keys = ON")
        cursor.close()

    @event.listens_for(engine, "begin")
    def _begin(connection: Connection) -> None:
        connection.exec_driver_sql("BEGIN " + connection.get_execution_options().get("sqlite_begin", "DEFERRED"))
