"""One connection that is kept, for transactions that are many and small."""

import asyncio
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import Protocol, TypeVar

from sqlalchemy import Connection, NullPool, create_engine
from sqlalchemy.ext.asyncio import AsyncConnection

from service.database.connection import Database, teach_sqlite

T = TypeVar("T")


class DedicatedConnection(Protocol):
    """Opened when first needed, and again after an error."""

    async def transaction(self, work: Callable[[Connection], T]) -> T:
        """The result of `work`, once it is committed. Raises its error, or the reason why it could not be committed.

        One at a time: the caller waits for the answer before the next call.
        """
        ...

    async def close(self) -> None:
        """Close it, if it is open."""
        ...


def dedicated_connection(database: Database) -> DedicatedConnection:
    """A connection to that database that is not shared."""
    return _InThread(database) if database.sqlite else _Asynchronous(database)


class _InThread:
    """SQLite by its own driver, in one thread: a transaction is one way there and back, where aiosqlite, which asks its
    thread for each step, makes twenty."""

    def __init__(self, database: Database) -> None:
        url = database.url.set(drivername="sqlite")
        self._engine = create_engine(url, poolclass=NullPool, execution_options={"sqlite_begin": "IMMEDIATE"})
        teach_sqlite(self._engine)
        self._thread = ThreadPoolExecutor(1, thread_name_prefix="kept-connection")
        self._connection: Connection | None = None

    async def transaction(self, work: Callable[[Connection], T]) -> T:
        return await asyncio.get_running_loop().run_in_executor(self._thread, self._commit, work)

    def _commit(self, work: Callable[[Connection], T]) -> T:
        if self._connection is None:
            self._connection = self._engine.connect()
        try:
            with self._connection.begin():
                return work(self._connection)
        except BaseException:
            self._disconnect()
            raise

    def _disconnect(self) -> None:
        connection, self._connection = self._connection, None
        if connection is not None:
            connection.invalidate()
            connection.close()

    async def close(self) -> None:
        await asyncio.get_running_loop().run_in_executor(self._thread, self._disconnect)
        self._thread.shutdown(wait=False)


class _Asynchronous:
    """PostgreSQL, over asyncpg."""

    def __init__(self, database: Database) -> None:
        self._engine = database.engine
        self._connection: AsyncConnection | None = None

    async def transaction(self, work: Callable[[Connection], T]) -> T:
        if self._connection is None:
            self._connection = await self._engine.connect()
        try:
            async with self._connection.begin():
                return await self._connection.run_sync(work)
        except BaseException:
            await self._disconnect()
            raise

    async def _disconnect(self) -> None:
        connection, self._connection = self._connection, None
        if connection is not None:
            await connection.invalidate()
            await connection.close()

    async def close(self) -> None:
        await self._disconnect()
