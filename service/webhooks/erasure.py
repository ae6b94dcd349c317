"""Removal of what the queue server keeps of an owner's webhooks."""

from collections.abc import Collection, Sequence
from typing import Any

from service.engine.redis.client import Client
from service.webhooks import keys
from service.webhooks.dispatcher import read_end


async def untold_ends(redis: Client, owners: Collection[str]) -> Sequence[Any]:
    """Ends of jobs of owners that no webhook was told of yet, as they stand in the queue server."""
    raws: list[Any] = await redis.lrange(keys.ENDED, 0, -1)
    ends = [(raw, read_end(raw)) for raw in raws]
    return [raw for raw, end in ends if end is not None and end.owner in owners]


async def forget_owners(redis: Client, owners: Collection[str]) -> int:
    """Remove the flags of owners, and ends of their jobs that no webhook was told of yet. Returns the number of these."""
    removed = 0
    for raw in await untold_ends(redis, owners):
        removed += await redis.lrem(keys.ENDED, 1, raw)
    for owner in owners:
        for name in (keys.OWNERS, keys.DISABLED):
            await redis.hdel(name, owner)
    return removed
