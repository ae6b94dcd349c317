"""Removal of what the queue server keeps of an owner's webhooks."""

from collections.abc import Collection
from typing import Any

from service.engine.redis.client import Client
from service.webhooks import keys
from service.webhooks.dispatcher import read_end


async def forget_owners(redis: Client, owners: Collection[str]) -> int:
    """Remove the flags of owners, and ends of their jobs that no one was told of yet. Returns the number of these."""
    removed = 0
    raws: list[Any] = await redis.lrange(keys.ENDED, 0, -1)
    for raw in raws:
        end = read_end(raw)
        if end is not None and end.owner in owners:
            removed += await redis.lrem(keys.ENDED, 1, raw)
    for owner in owners:
        for name in (keys.OWNERS, keys.DISABLED):
            await redis.hdel(name, owner)
    return removed
