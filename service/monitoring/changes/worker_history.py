"""`WorkerHistory`: workers that are there and that were, by what their reports say."""

import math
from collections.abc import Mapping, Sequence

import msgspec

from service.engine.redis.client import Client
from service.engine.redis.places import places_of
from service.engine.store import WorkerInfo
from service.engine.store.small_writes import write_small
from service.engine.store.worker_reports import WorkerReports
from service.lib.clock import now_ms
from service.monitoring.changes import keys
from service.monitoring.changes.records import WorkerLife
from service.monitoring.changes.timeline import DAY_MS, Timeline

KEPT, KEPT_MS = 2_000, 35 * DAY_MS
"""As long as hours are counted; a fleet that changes all day fills it sooner, and `oldest_ms` says from when it is whole."""


class WorkerHistory:
    """Notices workers that begin and end. One that begins and ends between two checks is not seen."""

    def __init__(self, redis: Client) -> None:
        self.redis = redis
        self.ended = Timeline(redis, keys.WORKER_HISTORY, WorkerLife, KEPT, KEPT_MS)

    async def compare(self, workers: Sequence[WorkerInfo]) -> None:
        """Compare the reports with those of the last check."""
        at_ms, before = now_ms(), await self._seen()
        present = {worker.id: _life(worker) for worker in workers if worker.alive(at_ms)}
        gone = [life for worker_id, life in before.items() if worker_id not in present]
        stopped = await self._stopped(gone)
        pipe = self.redis.pipeline(transaction=True)
        for life in present.values():
            pipe.hset(keys.WORKERS_SEEN, life.id, msgspec.json.encode(life))
        for life in gone:
            stopped_ms = stopped.get(life.id)
            end_ms = stopped_ms or life.last_ms
            ended = msgspec.structs.replace(life, last_ms=end_ms, ended="stopped" if stopped_ms else "died")
            self.ended.add_to(pipe, ended, end_ms)
            pipe.hdel(keys.WORKERS_SEEN, life.id)
        await write_small(self.redis, pipe)
        for reports in self._reports() if stopped else ():
            await reports.forget_stopped(list(stopped))

    async def _seen(self) -> Mapping[str, WorkerLife]:
        raws = await self.redis.hgetall(keys.WORKERS_SEEN)
        return {worker_id.decode(): msgspec.json.decode(raw, type=WorkerLife) for worker_id, raw in raws.items()}

    async def _stopped(self, gone: Sequence[WorkerLife]) -> Mapping[str, int]:
        """When those stopped that stopped in order, from every queue server."""
        found: dict[str, int] = {}
        for reports in self._reports() if gone else ():
            found |= await reports.stopped([life.id for life in gone])
        return found

    def _reports(self) -> Sequence[WorkerReports]:
        return [WorkerReports(place.client) for place in places_of(self.redis).all]

    async def between(self, first_ms: int, last_ms: int) -> Sequence[WorkerLife]:
        """Workers that were there at some time of the span, by queue and start."""
        ended = [life for life in await self.ended.between(first_ms, math.inf, KEPT) if life.there(first_ms, last_ms)]
        living = [life for life in (await self._seen()).values() if life.there(first_ms, last_ms)]
        return sorted([*ended, *living], key=lambda life: (life.queue, life.started_ms))

    async def oldest_ms(self) -> int | None:
        """End of the first life that is still kept: what was before it may be missing. None where none has ended."""
        rows = await self.redis.zrange(keys.WORKER_HISTORY, 0, 0, withscores=True)
        return int(rows[0][1]) if rows else None


def _life(worker: WorkerInfo) -> WorkerLife:
    return WorkerLife(
        id=worker.id,
        queue=worker.queue,
        host=worker.host,
        pid=worker.pid,
        version=worker.version,
        slots=worker.slots,
        started_ms=worker.started_at_ms,
        last_ms=worker.heartbeat_ms,
    )
