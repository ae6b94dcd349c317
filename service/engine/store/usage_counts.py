"""Use of owners that the scripts have counted, taken in batches (service/monitoring/metering.py writes them down)."""

import secrets
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import structlog
from redis.exceptions import WatchError

from service.engine.redis.client import Client
from service.engine.redis.places import places_of
from service.engine.store import keys

log = structlog.get_logger("offload.metering")


@dataclass(frozen=True)
class UsageBatch:
    """Counts by `field|day since 1970|owner`. Until it is forgotten, the same batch is taken again, under the same id."""

    id: str
    counts: Mapping[str, int]


class UsageCounts:
    """The counts of one queue server."""

    def __init__(self, redis: Client) -> None:
        self.redis = redis

    def each(self) -> "Sequence[UsageCounts]":
        """Those of each server that the client knows."""
        return [UsageCounts(place.client) for place in places_of(self.redis).all]

    async def take(self) -> UsageBatch | None:
        """The batch that was not forgotten yet, or what has been counted since; None where that is nothing."""
        if not await self.redis.exists(keys.USAGE_TAKEN):
            if not await self.redis.exists(keys.USAGE):
                return None
            # Two processes that lead at a time: the second renames nothing over the first one's batch.
            await self.redis.renamenx(keys.USAGE, keys.USAGE_TAKEN)
        await self.redis.hsetnx(keys.USAGE_TAKEN, "id", secrets.token_hex(16))
        taken = {name.decode(): value for name, value in (await self.redis.hgetall(keys.USAGE_TAKEN)).items()}
        return UsageBatch(taken.pop("id").decode(), {name: int(value) for name, value in taken.items()})

    async def forget(self, batch: UsageBatch) -> None:
        """Remove a batch that has been written down, unless another process did and has taken the next one."""
        async with self.redis.pipeline(transaction=True) as pipe:
            await pipe.watch(keys.USAGE_TAKEN)
            if await pipe.hget(keys.USAGE_TAKEN, "id") != batch.id.encode():
                return
            pipe.multi()
            pipe.delete(keys.USAGE_TAKEN)
            try:
                await pipe.execute()
            except WatchError:
                log.info("usage.batch_taken_twice", batch=batch.id)
