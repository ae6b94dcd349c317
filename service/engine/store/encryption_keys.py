"""Keys that records are encrypted with, by their ids: a process without one of them would fail the jobs that it cannot read."""

import asyncio
import contextlib
from collections.abc import Collection

from redis.exceptions import RedisError

from service.engine.redis.client import Client
from service.engine.redis.places import places_of
from service.engine.store import keys
from service.lib.text import listed

ANSWER_S = 2.0
"""Longest wait for a server: one that is away keeps no process from starting, and says so elsewhere."""


async def see_keys(redis: Client, ids: Collection[str]) -> None:
    """Note the first of this process's keys, which encrypts. Raises SystemExit, with a sentence, where records are encrypted
    with a key that it lacks."""
    for place in places_of(redis).all:
        with contextlib.suppress(RedisError, OSError):
            async with asyncio.timeout(ANSWER_S):
                await _see(place.client, list(ids))


async def _see(redis: Client, ids: list[str]) -> None:
    known = {raw.decode() for raw in await redis.smembers(keys.ENCRYPTION_KEYS)}
    if lacking := sorted(known - set(ids)):
        raise SystemExit(
            f"Records of the queue server are encrypted with {listed([repr(one) for one in lacking])}, which "
            "OFFLOAD_ENCRYPTION_KEYS does not have: add the key, or run `offload rewrap` where it is known."
        )
    if ids and ids[0] not in known:
        await redis.sadd(keys.ENCRYPTION_KEYS, ids[0])


async def forget_keys(redis: Client, ids: Collection[str]) -> None:
    """No record is encrypted with another key than these any more."""
    for place in places_of(redis).all:
        known = {raw.decode() for raw in await place.client.smembers(keys.ENCRYPTION_KEYS)}
        if gone := known - set(ids):
            await place.client.srem(keys.ENCRYPTION_KEYS, *gone)
