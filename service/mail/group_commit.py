"""Small writes that share transactions: while one is being committed, the next ones gather."""

import asyncio
from collections.abc import Callable, Sequence
from typing import Any, TypeVar

from sqlalchemy import Connection

from service.database import Database
from service.database.dedicated_connection import kept_connection

Item = TypeVar("Item")
Answer = TypeVar("Answer")

Write = Callable[[Connection, Sequence[Item]], Sequence[Answer]]
"""Does something to many items in one go, and answers for each of them, in order."""

BATCH = 200
"""Items in one transaction: a few milliseconds, so that other writers of an SQLite file hardly wait."""

LINGER_S = 0.005
"""How long something that is in no hurry waits for a transaction that begins anyway."""


class GroupedWrites:
    """Runs writes of the same kind together, in a transaction that others may share; answers once it is committed.

    A write only touches rows of its own caller and fails only as the database does, so sharing hurts nobody. What was
    submitted first is never committed later.
    """

    def __init__(self, database: Database) -> None:
        self._connection = kept_connection(database)
        self._waiting: list[tuple[Write[Any, Any], Any, asyncio.Future[Any]]] = []
        self._committer: asyncio.Task[None] | None = None
        self._timer: asyncio.TimerHandle | None = None

    async def run(self, write: Write[Item, Answer], item: Item, *, in_no_hurry: bool = False) -> Answer:
        """What `write` answers for `item`. Raises what it raised, or why the transaction could not be committed."""
        loop = asyncio.get_running_loop()
        done: asyncio.Future[Answer] = loop.create_future()
        self._waiting.append((write, item, done))
        if not in_no_hurry:
            self.hurry()
        elif self._timer is None:
            self._timer = loop.call_later(LINGER_S, self.hurry)
        return await done

    def hurry(self) -> None:
        """Begin with what waits."""
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None
        if self._waiting and (self._committer is None or self._committer.done()):
            self._committer = asyncio.create_task(self._commit_all())

    async def _commit_all(self) -> None:
        while self._waiting:
            batch, self._waiting = self._waiting[:BATCH], self._waiting[BATCH:]
            try:
                answers = await self._connection.transaction(_all([(write, item) for write, item, _ in batch]))
            except Exception as error:
                for _, _, done in batch:
                    if not done.done():
                        done.set_exception(error)
            else:
                for (_, _, done), answer in zip(batch, answers, strict=True):
                    if not done.done():
                        done.set_result(answer)

    async def close(self) -> None:
        """Finish what is under way and close the connection."""
        self.hurry()
        if self._committer is not None:
            await asyncio.gather(self._committer, return_exceptions=True)
        await self._connection.close()


def _all(batch: Sequence[tuple[Write[Any, Any], Any]]) -> Callable[[Connection], list[Any]]:
    """One piece of work out of many: those of a kind together, kinds in the order of their first."""
    kinds: dict[Write[Any, Any], list[int]] = {}
    for place, (write, _) in enumerate(batch):
        kinds.setdefault(write, []).append(place)

    def work(connection: Connection) -> list[Any]:
        answers: list[Any] = [None] * len(batch)
        for write, places in kinds.items():
            found = write(connection, [batch[place][1] for place in places])
            for place, answer in zip(places, found, strict=True):
                answers[place] = answer
        return answers

    return work
