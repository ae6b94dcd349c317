"""Candidates for removal: jobs over their queue's age or count, and what has been in the bin long enough."""

from collections.abc import Sequence

from service.engine.redis.away import or_else
from service.engine.redis.client import Client
from service.engine.redis.places import of_queue
from service.engine.store import keys
from service.lib.clock import now_ms

FULL_SHARE = 0.9
"""Share of the server's memory above which ended jobs go before their time: the rest is for those that wait and run."""

BIN_S = 15 * 60
"""Seconds for which a deleted job can be restored: long enough to notice a slip, short enough not to be storage."""


class Retention:
    """Names the ids whose time is over; who removes them removes their files first."""

    def __init__(self, redis: Client) -> None:
        self.redis = redis

    async def over_age(self, queue: str, keep_s: float, limit: int) -> list[str]:
        """Completed and cancelled jobs of a queue that ended longer ago than `keep_s`, oldest first."""
        before = now_ms() - int(keep_s * 1000)
        rows = await of_queue(self.redis, queue).zrangebyscore(keys.finished(queue), "-inf", before, start=0, num=limit)
        return [row.decode() for row in rows]

    async def over_count(self, queue: str, keep_jobs: int, limit: int) -> list[str]:
        """The oldest completed and cancelled jobs of a queue above `keep_jobs`."""
        redis = of_queue(self.redis, queue)
        surplus = await redis.zcard(keys.finished(queue)) - keep_jobs
        rows = await redis.zrange(keys.finished(queue), 0, min(surplus, limit) - 1) if surplus > 0 else []
        return [row.decode() for row in rows]

    async def ended(self, queue: str, before_ms: int | None = None) -> int:
        """Number of completed and cancelled jobs of a queue, or of those that ended before a time (ms since the epoch)."""
        ended = of_queue(self.redis, queue).zcount(
            keys.finished(queue), "-inf", "+inf" if before_ms is None else before_ms
        )
        return int(await or_else(ended, 0))

    async def over_memory(self, queues: Sequence[str], limit: int) -> list[str]:
        """Removals where the server's memory is nearly full: deleted jobs, then the completed and cancelled ones of all queues that
        ended first."""
        memory = await self.redis.info("memory")
        if not memory["maxmemory"] or memory["used_memory"] < FULL_SHARE * memory["maxmemory"]:
            return []
        binned = await self.binned(limit, keep_s=0)
        if binned:
            return binned
        pipe = self.redis.pipeline(transaction=False)
        for queue in queues:
            pipe.zrange(keys.finished(queue), 0, limit - 1, withscores=True)
        rows = [(ended_ms, job_id.decode()) for part in await pipe.execute() for job_id, ended_ms in part]
        return [job_id for _, job_id in sorted(rows)[:limit]]

    async def binned(self, limit: int, keep_s: float = BIN_S) -> list[str]:
        """Deleted jobs whose time in the bin is over."""
        before = now_ms() - int(keep_s * 1000)
        return [row.decode() for row in await self.redis.zrangebyscore(keys.BIN, "-inf", before, start=0, num=limit)]
