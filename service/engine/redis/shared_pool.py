"""A pool of connections that its owners share: one owner's burst of requests leaves connections for everybody else."""

import asyncio
from typing import Any

from redis.asyncio import BlockingConnectionPool
from redis.exceptions import ConnectionError as RedisConnectionError

from service.lib.fair_turns import WHOSE, FairTurns

EACH = 10
"""Connections that one owner holds at a time, of the 50 of a process. A command holds one for a millisecond or so."""

TURN_S = 30.0
"""Seconds for which a command waits for the owner's turn: a burst waits for itself."""


class SharedPool(BlockingConnectionPool):
    """As its base, with at most EACH connections of one owner. The process's own work has no such bound."""

    def __init__(self, *args: Any, **options: Any) -> None:
        super().__init__(*args, **options)
        self.turns = FairTurns(self.max_connections, each=EACH)
        self.holders: dict[int, str] = {}

    async def get_connection(self, *args: Any, **options: Any) -> Any:
        """Raises redis.exceptions.ConnectionError where no turn comes within TURN_S."""
        whose = WHOSE.get()
        try:
            async with asyncio.timeout(TURN_S):
                await self.turns.enter(whose)
        except TimeoutError:
            raise RedisConnectionError("too many requests of one owner wait for a connection") from None
        try:
            connection = await super().get_connection(*args, **options)
        except BaseException:
            self.turns.leave(whose)
            raise
        self.holders[id(connection)] = whose
        return connection

    async def release(self, connection: Any) -> None:
        """Give the connection and its turn back."""
        whose = self.holders.pop(id(connection), None)
        try:
            await super().release(connection)
        finally:
            if whose is not None:
                self.turns.leave(whose)
