"""The leases a worker holds: renewed together, given up together."""

import contextlib
import time

import structlog
from redis.exceptions import RedisError

from service.engine.outcomes import StopReason
from service.engine.store import Store
from service.engine.worker.execution import Execution
from service.lib.async_tasks import pause
from service.lib.clock import now_ms

log = structlog.get_logger("offload.worker")

RENEWALS = 4
"""Renewals in the length of a lease: three may fail before it runs out."""


class Leases:
    """Every running execution by job id."""

    def __init__(self, store: Store, queue: str, lease_s: float) -> None:
        self.store = store
        self.queue = queue
        self.lease_ms = round(lease_s * 1000)
        self.held: dict[str, Execution] = {}
        self.no_reaping_until_s = 0.0

    def trouble(self) -> None:
        """Redis was out of reach: no lease may count as expired until every worker could have renewed its own."""
        self.no_reaping_until_s = time.monotonic() + self.lease_ms / 1000 * 1.2

    @property
    def may_reap(self) -> bool:
        return time.monotonic() >= self.no_reaping_until_s

    def until_s(self, leased_ms: int) -> float:
        """Until when (monotonic) a lease lasts that the server gave at `leased_ms` of its clock."""
        return time.monotonic() + (leased_ms + self.lease_ms - now_ms()) / 1000

    def stop(self, job_id: str, reason: StopReason) -> None:
        """End a running job early; nothing happens when it is not here."""
        execution = self.held.get(job_id)
        if execution is not None:
            execution.stop(reason)

    def stop_all(self, reason: StopReason) -> None:
        for execution in list(self.held.values()):
            execution.stop(reason)

    async def renew_forever(self) -> None:
        """Renew until cancelled; keeps trying while Redis is away."""
        await self._reap_late_after_start()
        renew_s = pause_s = self.lease_ms / 1000 / RENEWALS
        while True:
            await pause(pause_s)
            try:
                await self._renew()
                pause_s = renew_s
            except (RedisError, OSError):
                self.trouble()
                pause_s = 0.25

    async def _reap_late_after_start(self) -> None:
        # A server that has just come back must receive every worker's renewal before any lease counts as expired.
        with contextlib.suppress(RedisError, OSError):
            uptime_s = int((await self.store.redis.info("server"))["uptime_in_seconds"])
            if uptime_s < self.lease_ms / 1000:
                self.trouble()

    async def _renew(self) -> None:
        if not self.held:
            return
        held = [(job_id, execution.job.fence, execution.metered_ms()) for job_id, execution in self.held.items()]
        sent_s = time.monotonic()
        lost, stop = await self.store.renewed(self.queue, self.lease_ms, held)
        for job_id, fence, _ in held:
            execution = self.held.get(job_id)
            if execution is not None and execution.job.fence == fence and job_id not in lost:
                execution.leased_until_s = sent_s + self.lease_ms / 1000
        fences = {job_id: fence for job_id, fence, _ in held}
        for job_id in lost:
            # Between the snapshot and the reply a job may have been settled, or claimed here again with another fence.
            execution = self.held.get(job_id)
            if execution is not None and execution.job.fence == fences[job_id] and not execution.reporting:
                log.warning("job.lease_lost", job=job_id)
                execution.stop(StopReason.LOST)
        for job_id in stop:
            self.stop(job_id, StopReason.CANCELLED)
