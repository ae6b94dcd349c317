"""`WorkerReports`: the last report of each worker, for as long as it is remembered."""

import time
from collections.abc import Sequence
from dataclasses import replace
from typing import Any

import msgspec

from service.engine.redis.client import Client
from service.engine.store import keys
from service.engine.store.records import WorkerInfo
from service.engine.store.scripts import HEARTBEAT
from service.lib.clock import SERVER, now_ms

REMEMBERED_S = 900
"""A worker that fell silent stays listed this long, with its age, so that an operator sees which one it was."""

STOPPED_MAX = 1_000


class WorkerReports:
    """Writes, lists and removes the reports."""

    def __init__(self, redis: Client) -> None:
        self.redis = redis

    async def write(self, info: WorkerInfo, *, arq_key: str, arq_line: str, arq_ms: int) -> None:
        """Replace a worker's report, by the server's clock, which is this process's from then on.

        `arq --check` finds `arq_line` under `arq_key` for `arq_ms`.
        """
        sent_s, report = time.monotonic(), msgspec.json.encode(info)
        server_ms = await HEARTBEAT(self.redis, info.id, report, REMEMBERED_S * 1000, arq_key, arq_line, arq_ms)
        SERVER.sync(server_ms, sent_s)

    async def remove(self, worker_id: str) -> None:
        """Forget a worker that stops in order, and note that it did: one that is silent without that has died."""
        pipe = self.redis.pipeline(transaction=False)
        if await self.redis.hlen(keys.WORKERS_STOPPED) >= STOPPED_MAX:
            # No leader has looked for long: what it has not seen of so many is not worth more room.
            pipe.delete(keys.WORKERS_STOPPED)
        pipe.hset(keys.WORKERS_STOPPED, worker_id, now_ms())
        pipe.delete(keys.worker(worker_id))
        pipe.zrem(keys.WORKERS, worker_id)
        await pipe.execute()

    async def stopped(self, worker_ids: Sequence[str]) -> dict[str, int]:
        """When those of the workers stopped (ms) that stopped in order and are not forgotten."""
        stamps = await self.redis.hmget(keys.WORKERS_STOPPED, worker_ids)
        return {worker_id: int(stamp) for worker_id, stamp in zip(worker_ids, stamps, strict=True) if stamp}

    async def forget_stopped(self, worker_ids: Sequence[str]) -> None:
        """Forget that these workers stopped."""
        await self.redis.hdel(keys.WORKERS_STOPPED, *worker_ids)

    async def list(self) -> Sequence[WorkerInfo]:
        """Reports of the last REMEMBERED_S, by queue and age of the worker."""
        beats = await self.redis.zrange(keys.WORKERS, 0, -1, withscores=True)
        if not beats:
            return []
        rows: Sequence[Any] = await self.redis.mget([keys.worker(worker_id.decode()) for worker_id, _ in beats])
        found = [
            replace(msgspec.json.decode(row, type=WorkerInfo), heartbeat_ms=int(beat_ms))
            for row, (_, beat_ms) in zip(rows, beats, strict=True)
            if row
        ]
        return sorted(found, key=lambda worker: (worker.queue, worker.started_at_ms))
