"""Small writes that share transactions: while one is being committed, the next ones gather."""

import asyncio
from collections.abc import Awaitable, Callable
from typing import Any, TypeVar

from sqlalchemy.ext.asyncio import AsyncSession

from service.database import Database

T = TypeVar("T")

Write = Callable[[AsyncSession], Awaitable[Any]]

BATCH = 200
"""Writes in one transaction: a few milliseconds, so that other writers of an SQLite file hardly wait."""


class GroupedWrites:
    """Runs each write in a transaction that others may share; answers once it is committed.

    A write only touches rows of its own caller and fails only as the database does, so sharing hurts nobody.
    """

    def __init__(self, database: Database) -> None:
        self._database = database
        self._waiting: list[tuple[Write, asyncio.Future[Any]]] = []
        self._committer: asyncio.Task[None] | None = None

    async def run(self, write: Callable[[AsyncSession], Awaitable[T]]) -> T:
        """What `write` answers. Raises what it raised, or why the transaction could not be committed."""
        done: asyncio.Future[T] = asyncio.get_running_loop().create_future()
        self._waiting.append((write, done))
        if self._committer is None or self._committer.done():
            self._committer = asyncio.create_task(self._commit())
        return await done

    async def _commit(self) -> None:
        while self._waiting:
            batch, self._waiting = self._waiting[:BATCH], self._waiting[BATCH:]
            try:
                async with self._database.writing() as session:
                    answers = [await write(session) for write, _ in batch]
            except Exception as error:
                for _, done in batch:
                    if not done.done():
                        done.set_exception(error)
            else:
                for (_, done), answer in zip(batch, answers, strict=True):
                    if not done.done():
                        done.set_result(answer)
