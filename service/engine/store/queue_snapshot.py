"""`Snapshots`: a queue at one moment: whose jobs wait for a slot, and whose run."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from service.engine.holds import Hold
from service.engine.redis.client import Client
from service.engine.redis.places import of_queue
from service.engine.store import keys
from service.engine.store.queue_controls import HOLD_FIELDS, Kind, holds_in_force
from service.lib.clock import now_ms

HEADS_READ = 2_000
"""Jobs read of those that wait, in the fair order: in it owners take turns, so that the first job of each comes early."""

KEYS_READ = 100
"""Keys of limits read, and as many of the jobs that wait for each."""

AT_ONCE = 500
"""Records read in one call: other clients must not wait for it."""

READY_SINCE_MS = 315_360_000_000 / 2
"""Ready jobs are scored further in the past than this (lua/includes/common.lua)."""

ON_BEHALF = "webhooks:"
"""Beginning of the owner of delivery jobs: they are the work of the owner whose webhook it is."""

Who = tuple[str, str]
"""Owner and job type of a job."""


@dataclass(frozen=True)
class QueueSnapshot:
    """Jobs of a queue at one moment. `waiting` and `parked` may lack some where there are many."""

    waiting: Sequence[Who] = ()
    """Jobs that could begin."""
    parked: Sequence[Who] = ()
    """Jobs that wait for a key of their limits."""
    running: Sequence[Who] = ()
    holds: Mapping[Kind, Hold] = field(default_factory=dict)
    unread: bool = False
    """True where more jobs wait than were read."""


class Snapshots:
    """Takes them. What the last one of a queue read of a job's record is remembered for the next."""

    def __init__(self, redis: Client) -> None:
        self.redis = redis
        self._known: dict[str, dict[bytes, Who]] = {}

    async def take(self, queue: str) -> QueueSnapshot:
        """The queue as it is now; without anything in it where no job waits."""
        redis, at_ms = of_queue(self.redis, queue), now_ms()
        # In one transaction: a job that begins in between would be seen twice, or not at all.
        pipe = redis.pipeline(transaction=True)
        pipe.hmget(keys.queue(queue), *HOLD_FIELDS)
        pipe.zrangebyscore(queue, "-inf", at_ms - READY_SINCE_MS, start=0, num=HEADS_READ + 1)
        pipe.hkeys(keys.running(queue))
        pipe.zrange(keys.blocked(queue), 0, KEYS_READ - 1)
        raw_holds, ready, running, limit_keys = await pipe.execute()
        if not ready and not limit_keys:
            self._known.pop(queue, None)
            return QueueSnapshot()
        parked = await self._parked(redis, limit_keys)
        known = await self._who(redis, queue, [*ready[:HEADS_READ], *running, *parked])
        waiting, parked_jobs, running_jobs = (
            [known[one] for one in ids if one in known] for ids in (ready[:HEADS_READ], parked, running)
        )
        holds = holds_in_force(raw_holds, at_ms)
        return QueueSnapshot(waiting, parked_jobs, running_jobs, holds, len(ready) > HEADS_READ)

    async def _parked(self, redis: Client, limit_keys: Sequence[bytes]) -> list[bytes]:
        if not limit_keys:
            return []
        pipe = redis.pipeline(transaction=False)
        for key in limit_keys:
            pipe.zrange(keys.parked(key.decode()), 0, KEYS_READ - 1)
        return [one for row in await pipe.execute() for one in row]

    async def _who(self, redis: Client, queue: str, ids: Sequence[bytes]) -> Mapping[bytes, Who]:
        """Owner and type of each job that has a record."""
        before = self._known.get(queue, {})
        found = {one: before[one] for one in ids if one in before}
        unknown = [one for one in dict.fromkeys(ids) if one not in found]
        for start in range(0, len(unknown), AT_ONCE):
            chunk = unknown[start : start + AT_ONCE]
            pipe = redis.pipeline(transaction=False)
            for one in chunk:
                pipe.hmget(keys.job(one.decode()), "owner", "type")
            for one, (owner, job_type) in zip(chunk, await pipe.execute(), strict=True):
                if owner:
                    found[one] = owner.decode().removeprefix(ON_BEHALF), (job_type or b"").decode()
        self._known[queue] = found
        return found
