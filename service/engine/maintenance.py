"""What one process at a time does for the whole installation: operations, retention, the bin, schedules, alerts."""

import asyncio
import contextlib
import time
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass

import structlog
from redis.exceptions import RedisError

from service.engine.election import Election
from service.engine.job_files import JobFiles
from service.engine.store import NoSuchJob, Store, WrongState
from service.engine.store.bulk_operations import Operation
from service.lib.async_tasks import end, pause
from service.lib.clock import now_ms
from settings import Settings

log = structlog.get_logger("offload.caretaker")

TICK_S = 0.5
"""How often an operation is taken a step further."""

STEP = 100
"""Jobs a step deals with: an abort is obeyed between two steps."""


@dataclass(slots=True)
class Duty:
    """Something to do every `every_s` seconds by whoever is elected. One that is `apart` must not hold up the others."""

    name: str
    every_s: float
    do: Callable[[], Awaitable[object]]
    apart: bool = False
    last_s: float = 0.0
    task: asyncio.Task[None] | None = None


class Maintenance:
    """Runs in every web and worker process; only the elected one acts."""

    def __init__(self, settings: Settings, store: Store, jobs: JobFiles, more: Sequence[Duty] = ()) -> None:
        self.settings = settings
        self.store = store
        self.jobs = jobs
        self.election = Election(store.redis)
        self.duties = [
            Duty("operations", TICK_S, self.operate),
            Duty("retention", 10, self.retain),
            Duty("bin", 10, self.empty_bin),
            Duty("error groups", 600, lambda: store.error_groups.forget(now_ms())),
            *more,
        ]

    async def run_forever(self) -> None:
        """Stand for election and, while elected, do the duties. Survives Redis going away."""
        while True:
            try:
                if await self.election.won():
                    await self._do_due()
            except (RedisError, OSError):
                # Whoever is elected when Redis is back goes on from what is written there.
                await pause(1)
            await pause(TICK_S)

    async def resign(self) -> None:
        """Let another process be elected immediately."""
        await end(*[duty.task for duty in self.duties if duty.task])
        await self.election.resign()

    async def _do_due(self) -> None:
        for duty in self.duties:
            if time.monotonic() - duty.last_s >= duty.every_s:
                duty.last_s = time.monotonic()
                if not duty.apart:
                    await self._do(duty)
                elif duty.task is None or duty.task.done():
                    duty.task = asyncio.create_task(self._do_apart(duty))

    async def _do(self, duty: Duty) -> None:
        try:
            await duty.do()
        except (RedisError, OSError):
            raise
        except Exception:
            # One broken duty must not keep the others from being done.
            log.exception("a duty failed", duty=duty.name)

    async def _do_apart(self, duty: Duty) -> None:
        with contextlib.suppress(RedisError, OSError):
            await self._do(duty)

    async def operate(self) -> None:
        """Take every running operation a step further."""
        for operation in await self.store.operations.list():
            if operation.state == "running":
                await self._step(operation)

    async def _step(self, operation: Operation) -> None:
        ids = await self.store.operations.next_ids(operation.id, STEP)
        act = {"retry": self.store.retry, "cancel": self.store.cancel, "delete": self.store.delete}[operation.kind]
        for job_id in ids:
            try:
                await act(job_id)
                done = True
            except (NoSuchJob, WrongState):
                done = False
            await self.store.operations.note(operation.id, job_id, done=done)
        if len(ids) < STEP:
            await self.store.operations.finish(operation.id)

    async def retain(self) -> None:
        """Remove completed and cancelled jobs over their queue's age or count, with their files."""
        for queue, bounds in self.settings.queues.items():
            old = await self.store.retention.over_age(str(queue), bounds.keep_days * 86_400, STEP)
            await self.jobs.purge(old or await self.store.retention.over_count(str(queue), bounds.keep_jobs, STEP))

    async def empty_bin(self) -> None:
        """Remove for good what has been in the bin long enough."""
        await self.jobs.purge(await self.store.retention.binned(STEP))
