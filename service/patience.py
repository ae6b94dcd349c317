"""Waiting out an absence of Redis, for calls that may be made again without harm."""

import asyncio
from collections.abc import Awaitable, Callable
from typing import TypeVar

import structlog
from redis.exceptions import RedisError

T = TypeVar("T")

log = structlog.get_logger("offload")

PAUSES_S = (0.05, 0.1, 0.25, 0.5, 1.0)
"""Pauses between tries; the last one repeats. There is no last try: what is waited for decides by its fence."""


async def patiently(what: str, call: Callable[[], Awaitable[T]]) -> T:
    """The answer of `call()`, tried again for as long as Redis is out of reach. `call` must be safe to repeat."""
    tries = 0
    while True:
        try:
            return await call()
        except (RedisError, OSError) as error:
            if tries == 0:
                log.warning("waiting for Redis", what=what, error=str(error))
            await asyncio.sleep(PAUSES_S[min(tries, len(PAUSES_S) - 1)])
            tries += 1
