"""Job types that were moved to another queue while jobs of them existed: each job counts in the queue that its record names.

An index of a type holds its jobs of all queues. As long as no type has been moved its size is its queue's number; else the
records are asked, a step at a time.
"""

import time
from collections import Counter
from collections.abc import Iterable

from service.engine.redis.client import Client
from service.engine.states import State
from service.engine.store import keys
from service.engine.store.scripts import COUNT_BY_QUEUE, FILTER_IDS

STEP = 1_000
"""Records asked in one call at most: about a millisecond of the server's time."""

EXAMINED_MAX = 10_000
"""Jobs looked at for the oldest of a queue: those of the other queue that are older have been served by then, or soon are."""

FRESH_S = 5.0
"""Seconds for which a count stands: pages ask every two seconds, and a moved type may have many jobs that are kept."""


def moved(seen: Iterable[tuple[str, str]]) -> set[str]:
    """Types that were seen on more than one queue, of (queue, type)."""
    queues = Counter(job_type for _, job_type in seen)
    return {job_type for job_type, number in queues.items() if number > 1}


class MovedTypes:
    """Counts jobs of moved types by their own queue."""

    def __init__(self, redis: Client) -> None:
        self.redis = redis
        self._counts: dict[str, tuple[float, Counter[tuple[str, State]]]] = {}

    async def counts(self, job_type: str) -> Counter[tuple[str, State]]:
        """Jobs of a type by (queue, state), FRESH_S old at most."""
        counted_s, counts = self._counts.get(job_type, (-FRESH_S, Counter()))
        if time.monotonic() - counted_s >= FRESH_S:
            counts = Counter()
            for state in State:
                for queue, number in (await self._by_queue(keys.by_type(job_type, state))).items():
                    counts[queue, state] += number
            self._counts[job_type] = (time.monotonic(), counts)
        return counts

    async def oldest(self, index: str, queue: str, count: int) -> list[str]:
        """The first created `count` jobs of an index that stand in a queue."""
        found: list[str] = []
        for start in range(0, EXAMINED_MAX, STEP):
            ids = [job_id.decode() for job_id in await self.redis.zrange(index, start, start + STEP - 1)]
            own = {job_id.decode() for job_id in await FILTER_IDS(self.redis, 1, "queue", queue, *ids)}
            found += [job_id for job_id in ids if job_id in own]
            if len(found) >= count or len(ids) < STEP:
                break
        return found[:count]

    async def _by_queue(self, index: str) -> Counter[str]:
        found: Counter[str] = Counter()
        start = 0
        while True:
            examined, *pairs = await COUNT_BY_QUEUE(self.redis, index, start, STEP)
            for queue, number in zip(pairs[::2], pairs[1::2], strict=True):
                found[queue.decode()] += number
            start += STEP
            if examined < STEP:
                return found
