"""`WorkerReports`: the last report of each worker, for as long as it is remembered."""

from collections.abc import Sequence
from typing import Any

import msgspec

from service.engine.redis.client import Client
from service.engine.store import keys
from service.engine.store.records import WorkerInfo

REMEMBERED_S = 900
"""A worker that fell silent stays listed this long, with its age, so that an operator sees which one it was."""


class WorkerReports:
    """Writes, lists and removes the reports."""

    def __init__(self, redis: Client) -> None:
        self.redis = redis

    async def write(self, info: WorkerInfo, *, arq_key: str, arq_line: str, arq_ms: int) -> None:
        """Replace a worker's report. `arq --check` finds `arq_line` under `arq_key` for `arq_ms`."""
        pipe = self.redis.pipeline(transaction=False)
        pipe.set(keys.worker(info.id), msgspec.json.encode(info), ex=REMEMBERED_S)
        pipe.zadd(keys.WORKERS, {info.id: info.heartbeat_ms})
        pipe.zremrangebyscore(keys.WORKERS, "-inf", info.heartbeat_ms - REMEMBERED_S * 1000)
        pipe.set(arq_key, arq_line, px=arq_ms)
        await pipe.execute()

    async def remove(self, worker_id: str) -> None:
        """Forget a worker that stops in order."""
        pipe = self.redis.pipeline(transaction=False)
        pipe.delete(keys.worker(worker_id))
        pipe.zrem(keys.WORKERS, worker_id)
        await pipe.execute()

    async def list(self) -> Sequence[WorkerInfo]:
        """Reports of the last REMEMBERED_S, by queue and age of the worker."""
        ids = [worker_id.decode() for worker_id in await self.redis.zrange(keys.WORKERS, 0, -1)]
        if not ids:
            return []
        rows: Sequence[Any] = await self.redis.mget([keys.worker(worker_id) for worker_id in ids])
        found = [msgspec.json.decode(row, type=WorkerInfo) for row in rows if row]
        return sorted(found, key=lambda worker: (worker.queue, worker.started_at_ms))
