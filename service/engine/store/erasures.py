"""Erasures that have begun, and the rewriting of the queue server's log behind them."""

import asyncio

from service.engine.redis.client import Client
from service.engine.redis.places import places_of
from service.engine.store import keys


class Erasures:
    """Marks of erasures by the pseudonym of their subject: one that died behind its last removal still owes its list."""

    def __init__(self, redis: Client) -> None:
        self.redis = redis

    async def begun(self, name: str) -> bool:
        """True where one has begun and not ended."""
        return bool(await self.redis.hexists(keys.ERASING, name))

    async def begin(self, name: str, at: str) -> None:
        """Note that one begins; `at` is for people."""
        await self.redis.hset(keys.ERASING, name, at)

    async def end(self, name: str) -> None:
        """Note that it has ended."""
        await self.redis.hdel(keys.ERASING, name)


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
