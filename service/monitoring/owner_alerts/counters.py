"""Counters of owners' ends in the queue servers: which are counted, and how far they are."""

import contextlib
from collections.abc import Collection, Mapping

from redis.exceptions import WatchError

from service.engine.redis.away import QueueServerAway
from service.engine.redis.client import Client
from service.engine.redis.places import places_of
from service.monitoring.owner_alerts import keys
from service.monitoring.owner_alerts.conditions import ENDS
from service.monitoring.owner_alerts.rows import AlertRows, wanted


class EndCounters:
    """Reads the counters, and has the scripts count for the owners that want it."""

    def __init__(self, redis: Client, rows: AlertRows) -> None:
        self.redis = redis
        self.rows = rows

    async def of(self, owner: str) -> tuple[Mapping[str, Mapping[str, str]], bool]:
        """Fields of keys.ends by queue server, and whether all of them have answered."""
        found: dict[str, Mapping[str, str]] = {}
        whole = True
        for place in places_of(self.redis).all:
            try:
                fields = await place.client.hgetall(keys.ends(owner))
            except QueueServerAway:
                whole = False
            else:
                found[place.server] = {name.decode(): value.decode() for name, value in fields.items()}
        return found, whole

    async def sync(self) -> None:
        """Bring what the scripts count in line with the table.

        Watched, so that two processes at it cannot write an older state over a newer one.
        """
        for place in places_of(self.redis).all:
            # One that is away is brought in line once it is back.
            with contextlib.suppress(QueueServerAway):
                await self._sync(place.client)

    async def _sync(self, redis: Client) -> None:
        while True:
            async with redis.pipeline(transaction=True) as pipe:
                await pipe.watch(keys.OWNERS)
                raws = await pipe.hgetall(keys.OWNERS)
                before = {owner.decode(): kinds.decode() for owner, kinds in raws.items()}
                now = await self._wanted()
                if before == now:
                    return
                pipe.multi()
                pipe.delete(keys.OWNERS)
                if now:
                    pipe.hset(keys.OWNERS, mapping=now)
                for owner in before.keys() - now.keys():
                    pipe.delete(keys.ends(owner))
                try:
                    await pipe.execute()
                    return
                except WatchError:
                    continue

    async def _wanted(self) -> dict[str, str]:
        """Kinds of ends by owner."""
        found: dict[str, set[str]] = {}
        after = ""
        while rows := await self.rows.confirmed(after):
            for row in rows:
                if kinds := set(wanted(row)) & set(ENDS):
                    found.setdefault(row.owner, set()).update(kinds)
            after = rows[-1].address_id
        return {owner: " ".join(sorted(kinds)) for owner, kinds in found.items()}


async def forget_owners(redis: Client, owners: Collection[str]) -> None:
    """Remove what a queue server keeps of owners' alerts."""
    for owner in owners:
        await redis.hdel(keys.OWNERS, owner)
        await redis.delete(keys.ends(owner))
