"""`QueueControls`: pause a queue while it runs, limit its jobs over the whole fleet, limit its rate.

Each is a `Hold`. The claim script reads it with every call, so it takes effect immediately; setting one wakes the workers.
"""

from collections.abc import Callable, Sequence
from typing import Literal

import msgspec
from redis.exceptions import WatchError

from service.engine.holds import REASON_MAX, Hold, hold
from service.engine.redis.away import or_else
from service.engine.redis.client import Client
from service.engine.redis.places import of_queue
from service.engine.store import channels, keys
from service.engine.store.breakers import BREAKER, read_breaker
from service.lib.clock import now_ms

Kind = Literal["pause", "limit", "rate"]

KINDS: tuple[Kind, ...] = ("pause", "limit", "rate")

HOLD_FIELDS = (*KINDS, BREAKER)
"""Fields of a queue's record in which holds stand."""

OFFLOAD = "offload"
"""`by` of a pause that workers set themselves while a part that they need is out of reach."""


class QueueControls:
    """Reads, sets and removes the holds of each queue."""

    def __init__(self, redis: Client) -> None:
        self.redis = redis

    async def set(
        self, queue: str, kind: Kind, value: int = 0, *, reason: str, by: str, until_ms: int | None = None
    ) -> Hold:
        """Set a hold, replacing the one before. Raises ValueError for a `value` below 1, an empty reason and a past end.

        `value` is the number of jobs at a time for a limit and of units per minute for a rate; a pause has none. `until_ms`
        (since the epoch) is None until an operator removes it.
        """
        if kind != "pause" and value < 1:
            raise ValueError(f"a {kind} is at least 1, not {value}; pause the queue to stop it")
        held = hold(reason, by, until_ms, value)
        await self._write(queue, kind, msgspec.json.encode(held))
        return held

    async def remove(self, queue: str, kind: Kind) -> None:
        """Remove a hold; nothing happens where there is none. With the pause a breaker is closed."""
        if kind == "pause":
            await of_queue(self.redis, queue).hdel(keys.queue(queue), BREAKER)
        await self._write(queue, kind, None)

    async def hold(self, queue: str, reason: str, for_s: float, *, renew: bool) -> None:
        """Pause a queue on behalf of a worker for `for_s` seconds. A pause by an operator stays as it is.

        With `renew` only a pause that still stands is prolonged: a worker that is alone in missing something must not
        stop the others again, once one of them or an operator has resumed the queue.
        """

        def held(present: Hold | None, at_ms: int) -> bytes | None:
            if (present is None and renew) or (present is not None and present.by != OFFLOAD):
                return None
            since_ms = present.since_ms if present else at_ms
            return msgspec.json.encode(Hold(reason[:REASON_MAX], OFFLOAD, since_ms, at_ms + round(for_s * 1000)))

        await self._exchange(queue, held)

    async def release(self, queue: str) -> None:
        """Take a pause back that `hold` set. A pause by an operator stays."""
        await self._exchange(queue, lambda present, _: b"" if present and present.by == OFFLOAD else None)

    async def _exchange(self, queue: str, change: Callable[[Hold | None, int], bytes | None]) -> None:
        """Replace the pause by what `change` returns for the present one: b"" removes it, None leaves it."""
        key, pipe = keys.queue(queue), of_queue(self.redis, queue).pipeline(transaction=True)
        async with pipe:
            while True:
                # An operator may pause the queue between reading and writing.
                await pipe.watch(key)
                # By the server's clock, as the claim compares it.
                seconds, micros = await pipe.time()
                at_ms, raw = int(seconds) * 1000 + int(micros) // 1000, await pipe.hget(key, "pause")
                hold = msgspec.json.decode(raw, type=Hold) if raw else None
                value = change(hold if hold and not hold.over(at_ms) else None, at_ms)
                if value is None:
                    return
                pipe.multi()
                if value:
                    pipe.hset(key, "pause", value)
                else:
                    pipe.hdel(key, "pause")
                pipe.publish(channels.of_queue(queue), "work")
                try:
                    await pipe.execute()
                    return
                except WatchError:
                    continue

    async def _write(self, queue: str, kind: Kind, value: bytes | None) -> None:
        pipe = of_queue(self.redis, queue).pipeline(transaction=True)
        if value is None:
            pipe.hdel(keys.queue(queue), kind)
        else:
            pipe.hset(keys.queue(queue), kind, value)
        pipe.publish(channels.of_queue(queue), "work")
        await pipe.execute()

    async def holds(self, queue: str) -> dict[Kind, Hold]:
        """Holds of a queue that are in force now. An open breaker is a pause, unless an operator has set one."""
        reading = of_queue(self.redis, queue).hmget(keys.queue(queue), *HOLD_FIELDS)
        return holds_in_force(await or_else(reading, [None] * len(HOLD_FIELDS)), now_ms())


def holds_in_force(raws: Sequence[bytes | None], at_ms: int) -> dict[Kind, Hold]:
    """Holds out of the HOLD_FIELDS of a queue's record, but for those whose time is over."""
    *raw_holds, raw_breaker = raws
    found = {kind: msgspec.json.decode(raw, type=Hold) for kind, raw in zip(KINDS, raw_holds, strict=True) if raw}
    held = {kind: held for kind, held in found.items() if not held.over(at_ms)}
    breaker = read_breaker(raw_breaker)
    return held if breaker is None else {"pause": breaker.hold(at_ms), **held}
