"""`Fairness`: amounts of waiting by hour and day, kept in small hashes of each queue's server."""

import hashlib
from collections import Counter
from collections.abc import AsyncIterator, Mapping, Sequence
from typing import Literal

import msgspec

from service.engine.redis.away import or_else
from service.engine.redis.client import Client
from service.engine.redis.places import of_queue, places_of
from service.engine.store.small_writes import write_small
from service.lib.clock import now_ms
from service.monitoring.fairness import keys
from service.monitoring.fairness.moment import Charge
from service.monitoring.fairness.totals import Totals

Tier = Literal["hour", "day"]

KEYS = {"hour": keys.hour, "day": keys.day}
SPAN_MS = {"hour": 3_600_000, "day": 86_400_000}

LISTED = 200
"""Amounts that a hash keeps by name. The smaller ones are added up without names, so that 10,000 owners take no more room."""

SEEN = Charge(None, "", "seen")
"""Time in which the queue was watched."""

UNREAD = Charge(None, "", "unread")
"""Time in which more jobs waited than were read."""

NOTES = (SEEN, UNREAD)

encode = msgspec.json.Encoder().encode
decode = msgspec.json.Decoder(tuple[str | None, str | None, str]).decode

Amounts = Mapping[Charge, int]


def folded(charge: Charge) -> Charge:
    """The amount without names that one belongs to: what is for oneself, for others and for no owner stays apart."""
    if charge in NOTES or charge.waiter is None:
        return charge
    if charge.holder == "":
        return Charge(None, "", charge.what)
    return Charge(None, None, "itself" if charge.waiter == charge.holder else "others")


def bounded(amounts: Amounts, listed: int = LISTED) -> Counter[Charge]:
    """The largest amounts by name, and the others folded. The sum stays the same."""
    named = sorted((-amount, charge) for charge, amount in amounts.items() if charge.waiter is not None)
    kept: Counter[Charge] = Counter({charge: -amount for amount, charge in named[:listed]})
    for amount, charge in named[listed:]:
        kept[folded(charge)] -= amount
    for charge, amount in amounts.items():
        if charge.waiter is None:
            kept[charge] += amount
    return kept


class Fairness:
    """Writes and reads amounts."""

    def __init__(self, redis: Client) -> None:
        self.redis = redis

    async def add(self, queue: str, at_ms: int, amounts: Amounts) -> None:
        """Add amounts to the hour and the day of a moment. Called by one process at a time."""
        redis = of_queue(self.redis, queue)
        names = {
            keys.hour(queue, at_ms // SPAN_MS["hour"]): keys.HOURS_KEPT_S,
            keys.day(queue, at_ms // SPAN_MS["day"]): keys.DAYS_KEPT_S,
        }
        small = bounded(await self._but_forgotten(amounts))
        for name, keep_s in names.items():
            before = _amounts(await redis.hgetall(name))
            after = bounded(Counter(before) + small, 2 * LISTED)
            if any(charge not in after for charge in before):
                # Full: some room at once, or each call would cast out one.
                after = bounded(after)
            pipe = redis.pipeline(transaction=True)
            gone = [encode(charge) for charge in before if charge not in after]
            if gone:
                pipe.hdel(name, *gone)
            changed = {encode(charge): str(amount) for charge, amount in after.items() if before.get(charge) != amount}
            if changed:
                pipe.hset(name, mapping=changed)
            pipe.expire(name, keep_s)
            await write_small(redis, pipe)

    async def _but_forgotten(self, amounts: Amounts) -> Amounts:
        rows = await self.redis.zrange(keys.FORGOTTEN, 0, -1)
        if not rows:
            return amounts
        await self.redis.zremrangebyscore(keys.FORGOTTEN, "-inf", now_ms() - keys.FORGOTTEN_MS)
        digests = {row.decode() for row in rows}
        found: Counter[Charge] = Counter()
        for charge, amount in amounts.items():
            erased = any(name and digest_of(name) in digests for name in (charge.waiter, charge.holder))
            found[folded(charge) if erased else charge] += amount
        return found

    async def forget(self, owners: Sequence[str]) -> int:
        """Take the names of owners out of every hash; the sums stay. Returns the number of amounts."""
        await self.redis.zadd(keys.FORGOTTEN, {digest_of(owner): now_ms() for owner in owners})
        return sum([await self._forget(redis, name, owners) async for redis, name in self._hashes()])

    async def naming(self, owners: Sequence[str]) -> int:
        """Number of amounts that name one of the owners."""
        number = 0
        async for redis, name in self._hashes():
            charges = _amounts(await redis.hgetall(name))
            number += sum(charge.waiter in owners or charge.holder in owners for charge in charges)
        return number

    async def _hashes(self) -> AsyncIterator[tuple[Client, str]]:
        for place in places_of(self.redis).all:
            async for raw in place.client.scan_iter(match=keys.EVERY, count=1_000):
                if (name := raw.decode()) != keys.FORGOTTEN:
                    yield place.client, name

    async def _forget(self, redis: Client, name: str, owners: Sequence[str]) -> int:
        before = _amounts(await redis.hgetall(name))
        mine = {charge: us for charge, us in before.items() if charge.waiter in owners or charge.holder in owners}
        if mine:
            pipe = redis.pipeline(transaction=True)
            for charge, us in mine.items():
                pipe.hincrby(name, encode(folded(charge)), us)
            pipe.hdel(name, *map(encode, mine))
            await pipe.execute()
        return len(mine)

    async def read(self, queues: Sequence[str], tier: Tier, first: int, last: int) -> dict[str, Totals]:
        """Totals by queue over hours or days since the epoch, both ends included."""
        return {queue: await or_else(self._read(queue, tier, first, last), Totals()) for queue in queues}

    async def _read(self, queue: str, tier: Tier, first: int, last: int) -> Totals:
        pipe = of_queue(self.redis, queue).pipeline(transaction=False)
        for number in range(first, last + 1):
            pipe.hgetall(KEYS[tier](queue, number))
        found: Counter[Charge] = Counter()
        for row in await pipe.execute():
            found.update(_amounts(row))
        return Totals(found)


def _amounts(row: Mapping[bytes, bytes]) -> dict[Charge, int]:
    return {Charge(*decode(name)): int(amount) for name, amount in row.items()}


def digest_of(owner: str) -> str:
    """SHA-256 of a name."""
    return hashlib.sha256(owner.encode()).hexdigest()
