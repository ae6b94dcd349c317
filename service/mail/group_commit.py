"""Small writes that share transactions: while one is being committed, the next ones gather."""

import asyncio
from collections.abc import Callable, Sequence
from typing import Any, TypeVar

from sqlalchemy import Connection

from service.database import Database
from service.database.dedicated_connection import dedicated_connection
from service.engine.batching import Batcher

Item = TypeVar("Item")
Answer = TypeVar("Answer")

Write = Callable[[Connection, Sequence[Item]], Sequence[Answer]]
"""Writes many items in one go, and returns a result for each of them, in order."""

BATCH = 200
"""Items in one transaction: a few milliseconds, so that other writers of an SQLite file hardly wait."""

LINGER_S = 0.005
"""Longest wait of a write without hurry for a transaction that begins anyway."""


class GroupedWrites:
    """Runs writes of the same kind together, in a transaction that others may share; returns once it is committed.

    A write only touches rows of its own caller and fails only as the database does, so sharing harms no caller. What was
    submitted first is never committed later.
    """

    def __init__(self, database: Database) -> None:
        self._connection = dedicated_connection(database)
        self._batcher: Batcher[tuple[Write[Any, Any], Any], Any] = Batcher(self._commit, BATCH)

    async def run(self, write: Write[Item, Answer], item: Item, *, in_no_hurry: bool = False) -> Answer:
        """The result of `write` for `item`. Raises its error, or the reason why the transaction was not committed."""
        # A caller that is cancelled takes nothing back: its message may have been sent.
        result: Answer = await asyncio.shield(
            self._batcher.soon((write, item), linger_s=LINGER_S if in_no_hurry else 0.0)
        )
        return result

    def hurry(self) -> None:
        """Begin with what waits."""
        self._batcher.hurry()

    async def _commit(self, batch: Sequence[tuple[Write[Any, Any], Any]]) -> list[Any]:
        return await self._connection.transaction(_all(batch))

    async def close(self) -> None:
        """Finish what is under way and close the connection."""
        await self._batcher.close()
        await self._connection.close()


def _all(batch: Sequence[tuple[Write[Any, Any], Any]]) -> Callable[[Connection], list[Any]]:
    """One piece of work out of many: those of a kind together, kinds in the order of their first."""
    kinds: dict[Write[Any, Any], list[int]] = {}
    for index, (write, _) in enumerate(batch):
        kinds.setdefault(write, []).append(index)

    def work(connection: Connection) -> list[Any]:
        answers: list[Any] = [None] * len(batch)
        for write, indexes in kinds.items():
            found = write(connection, [batch[index][1] for index in indexes])
            for index, answer in zip(indexes, found, strict=True):
                answers[index] = answer
        return answers

    return work
