"""Waiting out an absence of the database, the storage or disk space, as a worker waits out one of the queue server.

The first job that meets it is put back without spending a try. From then on this worker claims nothing, and where other
workers are affected too its queue is paused with the reason, until a probe of the missing part works.
"""

import asyncio
import contextlib
import random
import shutil
import tempfile
from collections.abc import Awaitable, Callable, Mapping

import structlog
from redis.exceptions import RedisError

from service.engine.store import Store
from service.engine.worker.listener import Alarm
from service.lib.async_tasks import end, pause
from service.lib.outages import Outage
from service.lib.storage.object_storage import FREE_BYTES_MIN
from service.lib.text import with_stop
from tasks.sdk.errors import Part

log = structlog.get_logger("offload.worker")

PROBE_FIRST_S = 1.0
PROBE_MAX_S = 15.0
"""Longest wait between two probes: one is a single small query, and work should go on soon after the repair."""

PROBE_TIMEOUT_S = 10.0
"""A probe that hangs counts as failed, and the pause is renewed."""

JOB_WAIT_MAX_S = 60.0
"""Longest wait of one job that meets an outage again and again, such as one that needs more disk than there is."""

REMEMBERED = 10_000
"""Jobs whose outages are counted: more than wait for one worker; the oldest count goes first."""

Probe = Callable[[], Awaitable[object]]


async def probe_disk() -> None:
    """Raise OSError where the folder of scratch files has no space left."""
    free = (await asyncio.to_thread(shutil.disk_usage, tempfile.gettempdir())).free
    if free < FREE_BYTES_MIN:
        raise OSError(f"{free} bytes are free")


class Outages:
    """Outages that one worker has met. `probes` raise while their part is out of reach; `work` wakes the claiming."""

    def __init__(self, store: Store, queue: str, probes: Mapping[Part, Probe], work: Alarm) -> None:
        self.store = store
        self.queue = queue
        self.probes = {"disk": probe_disk, **probes}
        self.work = work
        self._waits: dict[Part, asyncio.Task[None]] = {}
        self._met: dict[str, int] = {}

    @property
    def holding(self) -> bool:
        """True where this worker must not claim at present."""
        return bool(self._waits)

    def delay_s(self, job_id: str) -> float:
        """Seconds until a job that has just met an outage is tried again: doubled each time, half of it random."""
        times = self._met[job_id] = self._met.pop(job_id, 0) + 1
        if len(self._met) > REMEMBERED:
            del self._met[next(iter(self._met))]
        ceiling: float = min(JOB_WAIT_MAX_S, 2.0 ** min(times, 10))
        return ceiling / 2 + random.uniform(0, ceiling / 2)

    def forget(self, job_id: str) -> None:
        """A job that has ended is no longer counted."""
        self._met.pop(job_id, None)

    def met(self, outage: Outage) -> None:
        """Claim nothing from now on, until the part is back."""
        if outage.part in self.probes and outage.part not in self._waits:
            log.error("outage.started", part=outage.part, reason=outage.why)
            self._waits[outage.part] = asyncio.create_task(self._wait(outage))

    async def _wait(self, outage: Outage) -> None:
        wait_s, paused = PROBE_FIRST_S, False
        try:
            while True:
                # Another worker's own full disk is none of this queue's concern.
                if outage.part != "disk":
                    paused = await self._pause_queue(outage, wait_s + 2 * PROBE_TIMEOUT_S, renew=paused)
                await pause(wait_s)
                if await self._works(outage.part):
                    break
                wait_s = min(2 * wait_s, PROBE_MAX_S)
            log.info("outage.ended", part=outage.part)
            if outage.part != "disk":
                with contextlib.suppress(RedisError, OSError):
                    await self.store.controls.release(self.queue)
        finally:
            del self._waits[outage.part]
            self.work.set()

    async def _works(self, part: Part) -> bool:
        try:
            async with asyncio.timeout(PROBE_TIMEOUT_S):
                await self.probes[part]()
        except Exception as error:  # any reason keeps the part from being used
            log.warning("outage.continued", part=part, error=f"{type(error).__name__}: {str(error)[:200]}")
            return False
        return True

    async def _pause_queue(self, outage: Outage, for_s: float, *, renew: bool) -> bool:
        """True where this queue has been paused. The pause ends alone when no worker renews it."""
        with contextlib.suppress(RedisError, OSError):
            reason = with_stop(f"{outage.sentence}; the queue goes on once it is back")
            await self.store.controls.hold(self.queue, reason, for_s, renew=renew)
            return True
        return renew

    async def close(self) -> None:
        """Stop probing."""
        await end(*self._waits.values())
