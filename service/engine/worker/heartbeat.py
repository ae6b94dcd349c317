"""A worker tells what it is and does: for the dashboard, for `/workers/health`, and for `arq --check`."""

import contextlib
import os
import socket
import time
from importlib.metadata import version

import psutil

from service.engine.pool.cpu_pool import CpuPool
from service.engine.store import WorkerInfo
from service.engine.store.worker_reports import WorkerReports
from service.lib.clock import now_ms
from service.lib.sandbox.confine import Held
from service.lib.scratch import scratch_root

BEAT_S = 2.0
"""Seconds between two reports of a worker: a silent one stands out within seconds."""

BEAT = "beat"
"""File in the worker's scratch folder whose time is that of the last turn of its loop: what the containers' checks look at."""


class Heartbeat:
    """Reports one worker every BEAT_S seconds, under an id that is made here. `slots` is the number of jobs it runs at once."""

    def __init__(
        self, reports: WorkerReports, queue: str, slots: int, pool: CpuPool, sandbox: Held | None = None
    ) -> None:
        self.reports = reports
        self.pool = pool
        self.process = psutil.Process()
        host = socket.gethostname()
        self.info = WorkerInfo(
            id=f"{queue}:{host}:{os.getpid()}:{os.urandom(3).hex()}",
            queue=queue,
            host=host,
            pid=os.getpid(),
            pool_pids=[],
            version=version("offload"),
            # By the server's clock, which is known by the first report.
            started_at_ms=0,
            heartbeat_ms=0,
            active=0,
            processed=0,
            failed=0,
            rss_bytes=0,
            slots=slots,
            sandbox=sandbox.state if sandbox else "off",
            sandbox_detail=sandbox.words if sandbox else "",
        )

    async def beat(self, jobs: list[str], *, health_key: str) -> None:
        """Write the report. `jobs` are the ids that run now."""
        info = self.info
        info.started_at_ms = info.started_at_ms or now_ms()
        info.jobs, info.active = jobs, len(jobs)
        info.pool_pids = self.pool.pids()
        info.rss_bytes = self._rss_bytes()
        memory = self.pool.memory
        info.pool_mb, info.granted_mb = memory.ceiling_mb, memory.granted_mb
        info.waiting_for_memory, info.tried_alone = len(memory.waiting), self.pool.tried_alone
        line = f"{time.strftime('%b-%d %H:%M:%S')} j_complete={info.processed} j_failed={info.failed} j_ongoing={info.active}"
        await self.reports.write(info, arq_key=health_key, arq_line=line, arq_ms=int(BEAT_S * 5000))

    def mark(self) -> None:
        """Touch the file BEAT. Also while the queue server is away: a worker that waits for it must not be started again."""
        with contextlib.suppress(OSError):
            (scratch_root() / BEAT).touch()

    def _rss_bytes(self) -> int:
        total = 0
        for pid in [self.process.pid, *self.info.pool_pids]:
            try:
                total += psutil.Process(pid).memory_info().rss
            except psutil.Error:
                continue
        return total

    async def gone(self) -> None:
        """Remove the report: a worker that stops in order is no longer listed."""
        await self.reports.remove(self.info.id)
