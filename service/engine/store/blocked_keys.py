"""Keys of limits that jobs of a queue wait for."""

from collections.abc import Sequence
from dataclasses import dataclass

from service.engine.blocked import Blocked, read_blocked
from service.engine.redis.client import Client
from service.engine.redis.places import of_queue
from service.engine.store import keys

READ_MAX = 200
"""Keys that are counted for a page; those waited for by most of these are shown."""


@dataclass(frozen=True)
class BlockedKey:
    """A key, how many jobs wait for it and how many hold it; `note` is that of the job that is next."""

    key: str
    waiting: int
    active: int
    next_id: str
    note: Blocked


async def blocked_keys(redis: Client, queue: str, count: int) -> tuple[int, Sequence[BlockedKey]]:
    """Number of keys that jobs of a queue wait for, and the `count` of them that most jobs do; two round trips."""
    pipe = of_queue(redis, queue).pipeline(transaction=False)
    pipe.zcard(keys.blocked(queue))
    pipe.zrange(keys.blocked(queue), 0, READ_MAX - 1)
    total, rows = await pipe.execute()
    names = [row.decode() for row in rows]
    for name in names:
        pipe.zcard(keys.parked(name))
        pipe.scard(keys.held(name))
        pipe.zrange(keys.parked(name), 0, 0)
    found = await pipe.execute()
    most = sorted(zip(names, found[::3], found[1::3], found[2::3], strict=True), key=lambda row: (-row[1], row[0]))
    shown = [(name, waiting, active, first[0].decode()) for name, waiting, active, first in most[:count] if first]
    for *_, job_id in shown:
        pipe.hget(keys.job(job_id), "blocked_by")
    notes = [read_blocked((raw or b"").decode()) for raw in await pipe.execute()] if shown else []
    return total, [BlockedKey(*row, note) for row, note in zip(shown, notes, strict=True) if note]


async def holders(redis: Client, queue: str, key: str, count: int) -> Sequence[str]:
    """At most `count` ids of the active jobs that hold a key of a queue's, sorted."""
    return sorted(row.decode() for row in await of_queue(redis, queue).smembers(keys.held(key)))[:count]
