"""Errors of a queue's own server, which name it, and reads that go on without it."""

import contextlib
from collections.abc import Awaitable, Iterator
from contextvars import ContextVar
from typing import TypeVar

from redis.exceptions import ConnectionError as RedisConnectionError
from redis.exceptions import TimeoutError as RedisTimeoutError

T = TypeVar("T")

AWAY: ContextVar[set[str] | None] = ContextVar("away", default=None)
"""Servers that did not answer within `partial_reads`, in words; None outside of it."""


class QueueServerAway(RedisConnectionError):
    """The server of some queues does not answer. `server` is the server in words."""

    def __init__(self, server: str) -> None:
        super().__init__(f"{server} does not answer; the other queues go on")
        self.server = server


@contextlib.contextmanager
def partial_reads() -> Iterator[set[str]]:
    """Within the block, what is read over all queues leaves out servers that do not answer, and adds them to the set."""
    away: set[str] = set()
    token = AWAY.set(away)
    try:
        yield away
    finally:
        AWAY.reset(token)


def left_out(error: QueueServerAway) -> bool:
    """True within `partial_reads`, where the server is noted as one that does not answer."""
    away = AWAY.get()
    if away is not None:
        away.add(error.server)
    return away is not None


async def or_else(reading: Awaitable[T], otherwise: T) -> T:
    """The reading's result; within `partial_reads` `otherwise`, where the queue's own server does not answer."""
    try:
        return await reading
    except QueueServerAway as error:
        if not left_out(error):
            raise
        return otherwise


@contextlib.contextmanager
def named(server: str) -> Iterator[None]:
    """Errors of a connection name the queue's server; without a name they stay what they are."""
    try:
        yield
    except QueueServerAway:
        raise
    except (RedisConnectionError, RedisTimeoutError, OSError) as error:
        if not server:
            raise
        raise QueueServerAway(server) from error
