"""Waiting out an absence of Redis, for calls that may be made again without harm."""

import asyncio
import re
from collections.abc import Awaitable, Callable
from functools import wraps
from typing import ParamSpec, TypeVar

import structlog
from redis.exceptions import OutOfMemoryError, ReadOnlyError, RedisError, ResponseError

T = TypeVar("T")
P = ParamSpec("P")

log = structlog.get_logger("offload")

PAUSES_S = (0.05, 0.1, 0.25, 0.5, 1.0)
"""Pauses between tries; the last one repeats. There is no last try: what is waited for decides by its fence."""


NO_WRITES_NOW = re.compile(r"(ERR )?(OOM|READONLY|NOREPLICAS|MISCONF|MASTERDOWN)\b")
"""Beginnings of replies which say that it takes no writes at present: no memory, a replica, too few replicas, a full disk.

By its words, because redis-py has no class for some of them, nor for any that a script passes on.
"""


REFUSALS = {
    "OOM": "its memory is full",
    "READONLY": "it is a replica",
    "NOREPLICAS": "too few replicas follow it",
    "MISCONF": "its disk is full or fails",
    "MASTERDOWN": "it has lost its primary",
}


def refusal(error: Exception) -> str | None:
    """Reason why the server takes no writes at present, in some words; None where the error is another."""
    if isinstance(error, OutOfMemoryError | ReadOnlyError):
        return REFUSALS["OOM" if isinstance(error, OutOfMemoryError) else "READONLY"]
    found = NO_WRITES_NOW.match(str(error))
    return REFUSALS[found.group(2)] if found else None


def passing(error: Exception) -> bool:
    """True for an error to wait out: no connection, a server that loads, or one that takes no writes at present.

    Any other answer of the server (a script's error) would be the same the next time.
    """
    return not isinstance(error, ResponseError) or refusal(error) is not None


def until_back(call: Callable[P, Awaitable[T]]) -> Callable[P, Awaitable[T]]:
    """`call`, tried again for as long as Redis is out of reach. It must be safe to repeat.

    Raises the server's error where trying again would not help.
    """

    @wraps(call)
    async def repeated(*args: P.args, **kwargs: P.kwargs) -> T:
        tries = 0
        while True:
            try:
                return await call(*args, **kwargs)
            except (RedisError, OSError) as error:
                if not passing(error):
                    raise
                if tries == 0:
                    log.warning("redis.waiting", call=getattr(call, "__name__", "call"), error=str(error))
                await asyncio.sleep(PAUSES_S[min(tries, len(PAUSES_S) - 1)])
                tries += 1

    return repeated
