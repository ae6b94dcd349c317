"""Duties that one process at a time has for the whole installation: operations, retention, the bin, schedules, alerts."""

import asyncio
import contextlib
import time
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator, Sequence
from dataclasses import dataclass
from functools import partial

import structlog
from redis.exceptions import RedisError

from service.engine.election import Election
from service.engine.job_files import JobFiles
from service.engine.redis.places import Place
from service.engine.redis.retry import refusal
from service.engine.store import NoSuchJob, Store, WrongState
from service.engine.store.bulk_operations import Operation
from service.engine.store.outbox import MOVE_S, Outbox
from service.engine.store.undo import forget_change, record_changes
from service.lib.async_tasks import end, pause
from service.lib.clock import now_ms
from service.lib.outages import outage_of
from service.lib.reminder import Reminder
from settings import Settings

log = structlog.get_logger("offload.maintenance")

TICK_S = 0.5
"""Interval between two steps of an operation."""

RETAIN_S = 2.0
"""Seconds that one kind of retention may take at a time: the other duties wait for it."""

STEP = 100
"""Jobs a step deals with: an abort is obeyed between two steps."""


@dataclass(slots=True)
class Duty:
    """Something that the elected process does every `every_s` seconds. One that is `apart` must not hold up the others."""

    name: str
    every_s: float
    do: Callable[[], Awaitable[object]]
    apart: bool = False
    last_s: float = 0.0
    task: asyncio.Task[None] | None = None


class Maintenance:
    """Runs in every web and worker process; only the elected one acts.

    `jobs` removes the files of jobs that are purged; `more` are the duties of other rooms.
    """

    def __init__(self, settings: Settings, store: Store, jobs: JobFiles, more: Sequence[Duty] = ()) -> None:
        self.settings = settings
        self.store = store
        self.jobs = jobs
        self.election = Election(store)
        self.away, self.refused, self.full, self.delayed = Reminder(), Reminder(), Reminder(), Reminder()
        self.duties = [
            Duty("operations", TICK_S, self.operate),
            Duty("expiry", 1, self.expire),
            Duty("limits", 10, self.check_limits),
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
                if self.away.over():
                    log.info("maintenance.redis_back")
            except (RedisError, OSError) as error:
                # The process that is elected when Redis is back goes on from what is written there.
                if self.away.due():
                    log.warning("maintenance.redis_away", error=f"{type(error).__name__}: {error}")
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
        except Exception as error:
            # One duty that cannot be done must not keep the others from being done.
            if (outage := outage_of(error)) is not None:
                if self.delayed.due():
                    log.warning("duty.delayed", duty=duty.name, reason=outage.sentence)
            elif not isinstance(error, RedisError | OSError):
                log.exception("duty.failed", duty=duty.name)
            elif not (refused := refusal(error)):
                raise
            elif self.refused.due():
                # A server that takes no new jobs still does most of what the others ask of it.
                log.warning("duty.refused", duty=duty.name, reason=refused)

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
        act: Callable[[str], Awaitable[object]] = {
            "retry": self.store.retry,
            "cancel": self.store.cancel,
            "delete": self.store.delete,
            "restore": self.store.restore,
            "requeue": self.store.retry,
        }[operation.kind]
        recorded = await record_changes(self.store.redis, operation.id, ids)
        for job_id in ids:
            try:
                await act(job_id)
                done = True
            except (NoSuchJob, WrongState):
                done = False
                if job_id in recorded:
                    await forget_change(self.store.redis, operation.id, job_id)
            await self.store.operations.record(operation.id, job_id, done=done)
        if len(ids) < STEP:
            await self.store.operations.finish(operation.id)

    async def expire(self) -> None:
        """End the jobs that could not begin in time, also where no worker is there to see it."""
        while await self.store.expired(STEP) == STEP:
            pass

    async def check_limits(self) -> None:
        """Look at keys that jobs wait for: a worker of a release before this one does not let go of them."""
        for queue in self.settings.queues:
            if stale := await self.store.limits_checked(str(queue), STEP):
                log.warning("limits.stale_holders", queue=str(queue), jobs=stale)

    async def retain(self) -> None:
        """Remove completed and cancelled jobs over their queue's age or count, with their files.

        Where the server's memory is nearly full, what lies in the bin goes before its time, then what ended first.
        """
        retention, queues = self.store.retention, [str(queue) for queue in self.settings.queues]
        for queue, bounds in self.settings.queues.items():
            await self._purge_all(partial(retention.over_age, str(queue), bounds.keep_days * 86_400, STEP))
            await self._purge_all(partial(retention.over_count, str(queue), bounds.keep_jobs, STEP))
        freed = await self._purge_all(partial(retention.over_memory, queues, STEP))
        if freed and self.full.due():
            log.warning("jobs.removed_early", reason="Redis is nearly full", removed=freed)
        elif not freed:
            self.full.over()

    async def _purge_all(self, named: Callable[[], Awaitable[Sequence[str]]]) -> int:
        """Remove what `named` names, a step at a time, for RETAIN_S at most. Returns how many."""
        gone, before, until_s = 0, None, time.monotonic() + RETAIN_S
        # The same ids once more are some that cannot be removed.
        while (ids := await named()) and ids != before and time.monotonic() < until_s:
            await self.jobs.purge(ids)
            gone, before = gone + len(ids), ids
        return gone

    async def empty_bin(self) -> None:
        """Remove for good what has been in the bin long enough."""
        await self._purge_all(partial(self.store.retention.binned, STEP))


def maintenance_of(
    settings: Settings, places: Sequence[Place], jobs: JobFiles, target: Store, duties: Sequence[Duty]
) -> Iterator[Maintenance]:
    """Maintenance of each queue server: its own jobs everywhere, and `duties`, those of the whole installation, with the first."""
    for number, place in enumerate(places):
        own = Store(place.client, keeps_clock=number == 0)
        outbox = Outbox(own, target)
        onward = [Duty("onward jobs", MOVE_S, outbox.move, apart=True)] if outbox.queues else []
        yield Maintenance(settings, own, jobs.of(own), [*onward, *(duties if number == 0 else ())])


@contextlib.asynccontextmanager
async def maintaining(maintenance: Maintenance) -> AsyncIterator[None]:
    """Within the block this process stands for election."""
    task = asyncio.create_task(maintenance.run_forever())
    try:
        yield
    finally:
        await end(task)
        await maintenance.resign()
