"""Small writes that share transactions: while one is being committed, the next ones gather."""

import asyncio
from collections.abc import Awaitable, Callable
from typing import Any, TypeVar

from sqlalchemy.ext.asyncio import AsyncConnection

from service.database import Database

T = TypeVar("T")

Write = Callable[[AsyncConnection], Awaitable[Any]]

BATCH = 200
"""Writes in one transaction: a few milliseconds, so that other writers of an SQLite file hardly wait."""


class GroupedWrites:
    """Runs each write in a transaction that others may share; answers once it is committed.

    A write only touches rows of its own caller and fails only as the database does, so sharing hurts nobody. One
    connection is kept: to open an SQLite file for each message would cost more than the message.
    """

    def __init__(self, database: Database) -> None:
        self._engine = database.engine.execution_options(sqlite_begin="IMMEDIATE")
        self._connection: AsyncConnection | None = None
        self._waiting: list[tuple[Write, asyncio.Future[Any]]] = []
        self._committer: asyncio.Task[None] | None = None

    async def run(self, write: Callable[[AsyncConnection], Awaitable[T]]) -> T:
        """What `write` answers. Raises what it raised, or why the transaction could not be committed."""
        done: asyncio.Future[T] = asyncio.get_running_loop().create_future()
        self._waiting.append((write, done))
        if self._committer is None or self._committer.done():
            self._committer = asyncio.create_task(self._commit_all())
        return await done

    async def _commit_all(self) -> None:
        while self._waiting:
            batch, self._waiting = self._waiting[:BATCH], self._waiting[BATCH:]
            try:
                answers = await self._commit([write for write, _ in batch])
            except Exception as error:
                await self._disconnect()
                for _, done in batch:
                    if not done.done():
                        done.set_exception(error)
            else:
                for (_, done), answer in zip(batch, answers, strict=True):
                    if not done.done():
                        done.set_result(answer)

    async def _commit(self, writes: list[Write]) -> list[Any]:
        if self._connection is None:
            self._connection = await self._engine.connect()
        async with self._connection.begin():
            return [await write(self._connection) for write in writes]

    async def _disconnect(self) -> None:
        connection, self._connection = self._connection, None
        if connection is not None:
            await connection.invalidate()
            await connection.close()

    async def close(self) -> None:
        """Finish what is under way and close the connection."""
        if self._committer is not None:
            await asyncio.gather(self._committer, return_exceptions=True)
        if self._connection is not None:
            await self._connection.close()
            self._connection = None
