"""`Levels`: how many jobs waited and ran, and how many workers there were, minute by minute and hour by hour.

Counters tell what happened within a minute, not what stood there at its end: that is measured here, by one process at a time.
"""

from collections.abc import Mapping, Sequence
from typing import Any

import msgspec

from service.engine.redis.client import Client
from service.engine.states import State
from service.engine.store import WorkerInfo
from service.engine.store.small_writes import write_small
from service.lib.clock import now_ms
from service.monitoring.changes import keys

MINUTES_KEPT_S = 49 * 3600
HOURS_KEPT_S = 36 * 86_400
"""As long as minutes and hours are counted (store/counters.py)."""

WAITING = (State.QUEUED, State.RETRYING)


class Level(msgspec.Struct, frozen=True, array_like=True):
    """The most that there was at one time within a minute or an hour."""

    waiting: int
    running: int
    workers: int
    slots: int

    def most(self, other: "Level") -> "Level":
        """The higher of each."""
        both = zip(msgspec.structs.astuple(self), msgspec.structs.astuple(other), strict=True)
        return Level(*map(max, both))


class Levels:
    """Measures and reads levels."""

    def __init__(self, redis: Client) -> None:
        self.redis = redis

    async def measure(self, counts: Mapping[str, Mapping[State, int]], workers: Sequence[WorkerInfo]) -> None:
        """Add the present moment to its minute and its hour, queue by queue."""
        at_ms = now_ms()
        minute = at_ms // 60_000
        present = {queue: _level(queue, states, workers, at_ms) for queue, states in counts.items()}
        pipe = self.redis.pipeline(transaction=False)
        for queue in present:
            for key, field, _ in _fields(queue, minute):
                pipe.hget(key, field)
        before = iter(await pipe.execute())
        pipe = self.redis.pipeline(transaction=True)
        for queue, level in present.items():
            for key, field, keep_s in _fields(queue, minute):
                raw = next(before)
                most = level.most(msgspec.json.decode(raw, type=Level)) if raw else level
                pipe.hset(key, field, msgspec.json.encode(most))
                pipe.expire(key, keep_s)
        await write_small(self.redis, pipe)

    async def minutes(self, queue: str, first: int, last: int) -> dict[int, Level]:
        """Levels of minutes since the epoch, both ends included; what was not measured is left out."""
        return await self._read([keys.levels(queue, hour) for hour in range(first // 60, last // 60 + 1)], first, last)

    async def hours(self, queue: str, first: int, last: int) -> dict[int, Level]:
        """Likewise, of hours."""
        return await self._read(
            [keys.levels_day(queue, day) for day in range(first // 24, last // 24 + 1)], first, last
        )

    async def _read(self, names: Sequence[str], first: int, last: int) -> dict[int, Level]:
        pipe: Any = self.redis.pipeline(transaction=False)
        for name in names:
            pipe.hgetall(name)
        return {
            int(number): msgspec.json.decode(raw, type=Level)
            for row in await pipe.execute()
            for number, raw in row.items()
            if first <= int(number) <= last
        }


def _fields(queue: str, minute: int) -> Sequence[tuple[str, str, int]]:
    """Key, field and time to keep of the minute and of its hour."""
    hour = minute // 60
    return (
        (keys.levels(queue, hour), str(minute), MINUTES_KEPT_S),
        (keys.levels_day(queue, hour // 24), str(hour), HOURS_KEPT_S),
    )


def _level(queue: str, states: Mapping[State, int], workers: Sequence[WorkerInfo], at_ms: int) -> Level:
    serving = [worker for worker in workers if worker.queue == queue and worker.alive(at_ms)]
    waiting = sum(states.get(state, 0) for state in WAITING)
    return Level(waiting, states.get(State.ACTIVE, 0), len(serving), sum(worker.serving_slots for worker in serving))
