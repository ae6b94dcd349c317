"""Erasures that have begun, and the rewriting of the queue server's log behind them."""

import asyncio
from collections.abc import Mapping

import msgspec

from service.engine.redis.client import Client
from service.engine.redis.places import places_of
from service.engine.store import keys


class Begun(msgspec.Struct):
    """Start of an erasure (RFC 3339), and the number of things that have gone or were about to go, by kind."""

    at: str
    found: dict[str, int]


class Erasures:
    """Marks of erasures by the pseudonym of their subject: one that died behind its last removal still owes its list."""

    def __init__(self, redis: Client) -> None:
        self.redis = redis

    async def begun(self, name: str) -> bool:
        """True where one has begun and not ended."""
        return bool(await self.redis.hexists(keys.ERASING, name))

    async def note(self, name: str, at: str, found: Mapping[str, int]) -> Begun:
        """Note what is about to go, before it does: an attempt that dies behind a removal leaves no other count of it.

        `found` is of the attempt as a whole, and `at` its beginning. The note keeps the larger number of each kind, and the
        first beginning; it is returned.
        """
        begun = _begun(await self.redis.hget(keys.ERASING, name)) or Begun(at, {})
        larger = {kind: max(number, begun.found.get(kind, 0)) for kind, number in found.items()}
        merged = Begun(begun.at, begun.found | larger)
        await self.redis.hset(keys.ERASING, name, msgspec.json.encode(merged))
        return merged

    async def end(self, name: str) -> None:
        """Note that it has ended."""
        await self.redis.hdel(keys.ERASING, name)


def _begun(note: bytes | None) -> Begun | None:
    try:
        return msgspec.json.decode(note or b"", type=Begun)
    except msgspec.DecodeError:
        # There is none; or it is of an older release, which recorded the time alone.
        return None


async def rewrite_log(redis: Client) -> bool:
    """Have each server write its append-only file again, without what was removed; False where one keeps none."""
    kept = True
    for place in places_of(redis).all:
        facts = await place.client.info("persistence")
        if facts.get("aof_enabled"):
            await _rewritten(place.client)
            await place.client.bgrewriteaof()
            await _rewritten(place.client)
        else:
            kept = False
    return kept


async def _rewritten(redis: Client) -> None:
    while True:
        facts = await redis.info("persistence")
        if not (facts.get("aof_rewrite_in_progress") or facts.get("aof_rewrite_scheduled")):
            return
        await asyncio.sleep(0.1)
