"""Self-check of a worker: whether its pool can do what the queue is for. A fault stands in the worker's report."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import structlog

from service.engine.pool.cpu_pool import CpuPool
from service.engine.store import WorkerInfo
from service.engine.worker.failures import sentence
from service.lib.async_tasks import pause
from service.lib.text import with_stop

log = structlog.get_logger("offload.worker")

AGAIN_S = 600.0
"""Pause between two checks that found nothing: a folder may become unwritable, a file may be deleted."""

AGAIN_AFTER_FAULT_S = 30.0
"""Pause after a fault, so that its end is seen soon."""

FAULT_MAX = 500
"""Characters of a fault that are reported."""


@dataclass(frozen=True)
class SelfCheck:
    """`function(*args)` is a small piece of the queue's own work, done in a child of the pool; it raises where it fails."""

    function: Callable[..., object]
    args: tuple[Any, ...] = ()
    timeout_s: float = 60.0

    async def fault(self, pool: CpuPool) -> str | None:
        """Reason in one sentence why the work cannot be done here, or None."""
        try:
            await pool.run(self.function, *self.args, timeout_s=self.timeout_s)
        except Exception as error:  # whatever keeps a sample from being done keeps jobs from it too
            return with_stop(sentence(error, self.timeout_s))[:FAULT_MAX]
        return None

    async def run_forever(self, pool: CpuPool, info: WorkerInfo) -> None:
        """Check from time to time, and keep `info.fault` up to date."""
        while True:
            found = await self.fault(pool)
            if found and found != info.fault:
                log.error("self_check.failed", queue=info.queue, reason=found)
            elif info.fault and not found:
                log.info("self_check.passed", queue=info.queue)
            info.fault = found
            await pause(AGAIN_AFTER_FAULT_S if found else AGAIN_S)
