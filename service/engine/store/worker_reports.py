"""The last report of each worker, for as long as it is remembered."""

import time
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from typing import Any

import msgspec

from service.engine.redis.client import Client
from service.engine.store import keys
from service.engine.store.scripts import HEARTBEAT
from service.lib.clock import SERVER, now_ms

REMEMBERED_S = 900
"""A worker that fell silent stays listed this long, with its age, so that an operator sees which one it was."""

STOPPED_MAX = 1_000

SILENT_AFTER_S = 15
"""By then a worker's leases have run out and its jobs are given to others."""


@dataclass(slots=True)
class WorkerInfo:
    """A worker's last report of itself."""

    id: str
    queue: str
    host: str
    pid: int
    pool_pids: list[int]
    version: str
    started_at_ms: int
    heartbeat_ms: int
    active: int
    processed: int
    failed: int
    rss_bytes: int
    jobs: list[str] = field(default_factory=list)
    slots: int = 1
    stopping: bool = False
    quiet: bool = False
    """An operator wants it to begin nothing new."""
    pool_mb: int = 0
    """Memory that its children may take together; 0 for one of an older release."""
    granted_mb: int = 0
    """Memory that what runs in them should take."""
    waiting_for_memory: int = 0
    tried_alone: int = 0
    """Tasks that outgrew their ceiling and were tried once more, alone."""
    fault: str | None = None
    """Reason why it cannot do its queue's work, found by its self-check."""
    sandbox: str = ""
    """State of its children's sandbox: on, partial, none or off; empty for one of an older release."""
    sandbox_detail: str = ""
    """Phrase that says by what it is held, and what is not."""

    def alive(self, at_ms: int) -> bool:
        """False for a worker that has been silent for SILENT_AFTER_S."""
        return at_ms - self.heartbeat_ms < SILENT_AFTER_S * 1000

    @property
    def takes(self) -> bool:
        """True where it takes jobs that wait."""
        return not (self.stopping or self.quiet)

    @property
    def serving_slots(self) -> int:
        """Jobs that it runs at once, where it takes any."""
        return self.slots if self.takes else 0


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
