"""Waiting out an absence of Redis, for calls that may be made again without harm."""

import asyncio
from collections.abc import Awaitable, Callable
from typing import TypeVar

import structlog
from redis.exceptions import OutOfMemoryError, ReadOnlyError, RedisError, ResponseError

T = TypeVar("T")

log = structlog.get_logger("offload")

PAUSES_S = (0.05, 0.1, 0.25, 0.5, 1.0)
"""Pauses between tries; the last one repeats. There is no last try: what is waited for decides by its fence."""


def passing(error: Exception) -> bool:
    """Whether to wait it out: no connection, a server that loads, has no memory left or has become a replica.

    Any other answer of the server (a script's error) would be the same the next time.
    """
    return not isinstance(error, ResponseError) or isinstance(error, OutOfMemoryError | ReadOnlyError)


async def patiently(what: str, call: Callable[[], Awaitable[T]]) -> T:
    """The answer of `call()`, tried again for as long as Redis is out of reach. `call` must be safe to repeat.

    Raises what the server answers where trying again would not help.
    """
    tries = 0
    while True:
        try:
            return await call()
        except (RedisError, OSError) as error:
            if not passing(error):
                raise
            if tries == 0:
                log.warning("waiting for Redis", what=what, error=str(error))
            await asyncio.sleep(PAUSES_S[min(tries, len(PAUSES_S) - 1)])
            tries += 1
