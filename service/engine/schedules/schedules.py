"""`Schedules`: reads, pauses and runs the schedules declared in settings/schedules.py and those of owners."""

import contextlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any, TypeVar, cast

import msgspec

import tasks.sdk.discovery  # noqa: F401  # schedules name job types, which this declares
from service.engine.enqueuer import Enqueuer
from service.engine.holds import Hold, hold
from service.engine.job_requests import set_terms
from service.engine.plans import mails_of, over_mails
from service.engine.redis.away import or_else
from service.engine.redis.client import Client
from service.engine.redis.places import of_queue
from service.engine.schedules import keys
from service.engine.schedules.owned import OwnedSchedules
from service.engine.schedules.records import ScheduleState, SlotRun
from service.engine.sealing import SEALING
from service.engine.store import Job, NoSuchJob, OverLimit, Store, WrongState
from service.engine.store.script_inputs import NewJob
from service.engine.store.scripts import SCHEDULE
from service.engine.store.sealed_inputs import requests
from service.engine.terms import Terms
from service.lib.clock import now_ms
from settings.schedules import SCHEDULES, Overlap, Schedule
from tasks.sdk.types import REGISTRY

OWNER = "schedule:{name}"
"""No API key's owner has a colon in it: only operators see a scheduled job."""

T = TypeVar("T")

pack = msgspec.msgpack.Encoder().encode
to_json = msgspec.json.Encoder().encode


class Schedules:
    """Every declared schedule. A slot's outcome is written by one script: once, however many processes try.

    `ports` are the implementations of tasks/ports that a job type counts its messages with; without them none are counted.
    """

    def __init__(
        self,
        store: Store,
        enqueuer: Enqueuer,
        declared: Sequence[Schedule] = SCHEDULES,
        ports: Mapping[type, Any] | None = None,
    ) -> None:
        self.store = store
        self.enqueuer = enqueuer
        self.ports = ports if ports is not None else {}
        """Implementations of tasks/ports/, for job types that count their messages."""
        self.declared = {schedule.name: schedule for schedule in declared}
        self.owned = OwnedSchedules(store.redis)

    def redis_of(self, schedule: Schedule) -> Client:
        """The server that keeps a schedule's slots and runs: that of its jobs, which one script begins and notes."""
        job_type = REGISTRY.get(schedule.job)
        return of_queue(self.store.redis, job_type.queue) if job_type else self.store.redis

    async def all(self) -> list[Schedule]:
        """The declared schedules in order of declaration, then those of owners, oldest first."""
        return [*self.declared.values(), *(one.schedule() for one in await self.owned.all())]

    async def list(self) -> list[ScheduleState]:
        """Every schedule with its present state, in the order of `all`."""
        return [await or_else(self.state(one), _unreadable(one)) for one in await self.all()]

    async def get(self, name: str) -> ScheduleState:
        """One schedule with its last 60 runs. Raises NoSuchSchedule."""
        return await self.state(await self.find(name))

    async def state(self, schedule: Schedule) -> ScheduleState:
        """The present state of a schedule, with its last 60 runs."""
        name = schedule.name
        pipe = self.redis_of(schedule).pipeline(transaction=True)
        pipe.hget(keys.schedule(name), "pause")
        pipe.zrevrange(keys.schedule_order(name), 0, -1)
        pipe.hgetall(keys.schedule_runs(name))
        raw_pause, order, raws = await pipe.execute()
        runs = [msgspec.json.decode(raws[run_id], type=SlotRun) for run_id in order if run_id in raws]
        await self.see(runs)
        problem, at_ms = self.problem(schedule), now_ms()
        pause = msgspec.json.decode(raw_pause, type=Hold) if raw_pause else None
        if pause and pause.over(at_ms):
            pause = None
        next_ms = None if problem else self._next_ms(schedule, at_ms, pause)
        return ScheduleState(schedule, schedule.words, problem, next_ms, pause, runs)

    async def find(self, name: str) -> Schedule:
        """A declared schedule by its name, or an owner's by its id. Raises NoSuchSchedule."""
        return self.declared.get(name) or (await self.owned.get(name)).schedule()

    async def see(self, runs: Sequence[SlotRun]) -> None:
        """Give runs that are not settled the present state of their jobs."""
        open_runs = [run for run in runs if run.job and not run.settled]
        jobs = await self.store.get_many([run.job for run in open_runs]) if open_runs else []
        for run, job in zip(open_runs, jobs, strict=True):
            run.outcome = str(job.state) if job else "gone"
            run.finished_ms = job.finished_ms if job else None
            run.reason = _reason(job) if job else "the job was deleted before it had ended"

    @staticmethod
    def _next_ms(schedule: Schedule, at_ms: int, pause: Hold | None) -> int | None:
        if pause and pause.until_ms is None:
            return None
        begin_ms = max(at_ms, pause.until_ms or 0) if pause else at_ms
        slot = schedule.next_after(to_moment(begin_ms))
        return to_ms(slot) if slot else None

    def problem(self, schedule: Schedule) -> str | None:
        """Fault of a declaration, in one sentence."""
        if schedule.problem:
            return schedule.problem
        job_type = REGISTRY.get(schedule.job)
        if job_type is None:
            return f"the schedule {schedule.name} names no job type: {schedule.job}"
        try:
            msgspec.convert(schedule.payload_at(datetime.now(UTC)), job_type.payload)
        except msgspec.ValidationError as error:
            return f"the schedule {schedule.name} has a payload that does not fit {schedule.job}: {error}"
        return None

    async def pause(self, name: str, *, reason: str, by: str, until_ms: int | None = None) -> Hold:
        """Let slots pass without a run until `until_ms` (since the epoch), None until it is resumed.

        Raises NoSuchSchedule, and ValueError for an empty reason and for an end in the past.
        """
        schedule = await self.find(name)
        pause = hold(reason, by, until_ms)
        await self.redis_of(schedule).hset(keys.schedule(name), "pause", to_json(pause))
        return pause

    async def resume(self, name: str) -> None:
        """Take a pause back; nothing happens when there is none. Slots that passed are not made up for."""
        await self.redis_of(await self.find(name)).hdel(keys.schedule(name), "pause")

    async def run_now(self, name: str, *, by: str) -> str:
        """Begin a manual run, paused or not. Returns the job's id. Raises NoSuchSchedule, OverLimit, ValueError."""
        schedule = await self.find(name)
        problem = self.problem(schedule)
        if problem:
            raise ValueError(problem)
        at_ms = now_ms()
        job_id = f"{run_prefix(schedule)}-manual-{at_ms}"
        run = SlotRun(id=job_id, slot_ms=at_ms, kind="manual", at_ms=at_ms, job=job_id, outcome="queued", by=by)
        if refusal := await self.over(schedule, run):
            raise refusal
        outcome, job = await self.begin(schedule, run)
        if outcome == "skipped":
            raise ValueError(f"the run before has not ended: job {job}")
        return job_id

    async def begin(
        self, schedule: Schedule, run: SlotRun, *, seen: str = "", through: str = "", missed: Sequence[SlotRun] = ()
    ) -> tuple[str, str]:
        """Begin a run and record missed ones, in one script. Returns (outcome, job id); schedule.lua lists the outcomes.

        `seen` is the last slot (ms, as text) that this process knew of: where another process has written one since, nothing
        happens and the outcome is `late`; empty, that is not asked. `through` is the last slot from now on.
        """
        skipped = not_begun(run, "the run before had not ended")
        start = [await self._request(schedule, run), text(run), text(skipped), run.at_ms]
        if schedule.overlap is Overlap.REPLACE:
            await self._cancel_last(schedule)
        return await self.write(schedule, start, missed, seen=seen, through=through)

    async def over(self, schedule: Schedule, run: SlotRun) -> OverLimit | None:
        """Take the run's messages from what its owner's plan allows; returns the refusal where it is over."""
        job_type = REGISTRY[schedule.job]
        if not schedule.owner or not job_type.mails:
            return None
        limits = await self.enqueuer.limits_of(schedule.owner)
        allowance = mails_of(schedule.owner, limits)
        if allowance is None or await self.store.get(run.job):
            return None
        payload = msgspec.convert(schedule.payload_at(to_moment(run.slot_ms)), job_type.payload)
        count = await job_type.mails(payload, Parts(self.ports))
        wait_ms = await allowance.take(of_queue(self.store.redis, job_type.queue), count) if count else 0
        return over_mails(limits, count, wait_ms) if wait_ms else None

    async def _cancel_last(self, schedule: Schedule) -> None:
        last = await self.redis_of(schedule).hget(keys.schedule(schedule.name), "job")
        if last:
            # It may have ended on its own, or been deleted.
            with contextlib.suppress(WrongState, NoSuchJob):
                await self.store.cancel(last.decode())

    async def write(
        self, schedule: Schedule, start: Any, missed: Sequence[SlotRun], *, seen: str, through: str
    ) -> tuple[str, str]:
        """Call the script; `start` None only records `missed`. `seen`, `through` and the result are those of `begin`.

        `start` is the job's request, its run as JSON when it begins, its run as JSON when it is skipped, and the time in ms.
        """
        rows = pack([[run.id, run.slot_ms, text(run)] for run in missed])
        skip = int(schedule.overlap is Overlap.SKIP)
        answer = await SCHEDULE(self.redis_of(schedule), schedule.name, seen, through, skip, rows, pack(_sealed(start)))
        return answer[0].decode(), answer[1].decode()

    async def _request(self, schedule: Schedule, run: SlotRun) -> NewJob:
        job_type = REGISTRY[schedule.job]
        payload = msgspec.convert(schedule.payload_at(to_moment(run.slot_ms)), job_type.payload)
        delay_ms = round(schedule.delay_s(to_moment(run.slot_ms)) * 1000) if run.kind != "manual" else 0
        request = await self.enqueuer.request(
            job_type,
            payload,
            job_id=run.job,
            owner=schedule.owner or OWNER.format(name=schedule.name),
            due_ms=run.at_ms + delay_ms if delay_ms else 0,
        )
        set_terms(request, Terms(callback_url=schedule.callback_url or None))
        return request


@dataclass(frozen=True)
class Parts:
    """Parts that a job type may use to count its messages."""

    ports: Mapping[type, Any]

    def use(self, port: type[T]) -> T:
        """The implementation of a protocol of tasks/ports/. Raises KeyError where there is none."""
        return cast(T, self.ports[port])


def _sealed(start: Any) -> Any:
    return [*requests(start[:1]), *start[1:]] if start else False


def _reason(job: Job) -> str:
    """A job's error. It is kept with the run, in the clear: an encrypted one is on the job's page."""
    return (job.error or "") if SEALING.keyring is None or not job.error else "the job's page says why"


def _unreadable(schedule: Schedule) -> ScheduleState:
    return ScheduleState(schedule, schedule.words, "the server of its queue does not answer", None, None, [])


def not_begun(run: SlotRun, reason: str) -> SlotRun:
    """A run as it is noted that did not begin."""
    return SlotRun(
        id=run.id, slot_ms=run.slot_ms, kind=run.kind, at_ms=run.at_ms, outcome="skipped", reason=reason, by=run.by
    )


def run_prefix(schedule: Schedule) -> str:
    """First part of the ids of a schedule's runs: two owners' schedules of one type share their slots, and no id."""
    return f"{schedule.job}-{schedule.name.rpartition('-')[2]}" if schedule.owner else schedule.job


def text(run: SlotRun) -> str:
    """A run as it is kept."""
    return to_json(run).decode()


def to_moment(ms: int) -> datetime:
    return datetime.fromtimestamp(ms / 1000, UTC)


def to_ms(moment: datetime) -> int:
    return int(moment.timestamp() * 1000)
