"""A duty of the maintenance leader: slots whose time has come are begun, those missed while no process ran are recorded."""

import contextlib
from collections.abc import Sequence

import msgspec
import structlog

from service.engine.redis.away import QueueServerAway
from service.engine.schedules import keys
from service.engine.schedules.records import Kind, SlotRun
from service.engine.schedules.schedules import Schedules, not_begun, run_prefix, text, to_moment, to_ms
from service.lib.clock import now_ms
from settings.schedules import CatchUp, Schedule

log = structlog.get_logger("offload.schedules")

LATE_S = 120
"""A slot that is begun later than this was missed: longer than a deploy or an election takes, shorter than a person waits."""

MISSED_MAX = 50
"""Missed slots that are noted one by one. After a month away an hourly schedule has missed more than anybody reads."""


class Ticker:
    """Looks at every schedule. Two that look at once, or a late one, begin a slot once: the script sees to it."""

    def __init__(self, schedules: Schedules) -> None:
        self.schedules = schedules
        self.reported: set[str] = set()

    async def tick(self) -> None:
        """Deal with every slot up to now."""
        for schedule in await self.schedules.all():
            problem = self.schedules.problem(schedule)
            if problem is None:
                # The schedules of the other queues go on; these catch up once their server is back.
                with contextlib.suppress(QueueServerAway):
                    await self._check(schedule)
                    await self._settle(schedule)
            elif problem not in self.reported:
                self.reported.add(problem)
                log.error("schedule.invalid", schedule=schedule.name, reason=problem)

    async def _check(self, schedule: Schedule) -> None:
        at_ms, key, redis = now_ms(), keys.schedule(schedule.name), self.schedules.redis_of(schedule)
        declared = f"{schedule.cron or schedule.every_s} {schedule.zone}"
        seen, known = await redis.hmget(key, "through", "declared")
        if seen is None or known != declared.encode():
            # A schedule that is new, or new like this, has missed nothing.
            await redis.hset(key, mapping={"through": at_ms, "declared": declared})
            return
        slots = schedule.slots(to_moment(int(seen)), to_moment(at_ms), MISSED_MAX)
        if slots:
            await self._slots(schedule, seen.decode(), [to_ms(slot) for slot in slots], at_ms)

    async def _slots(self, schedule: Schedule, seen: str, slots: Sequence[int], at_ms: int) -> None:
        state = await self.schedules.get(schedule.name)
        through = str(slots[-1])
        if state.pause:
            await self.schedules.write(schedule, None, [], seen=seen, through=through)
            return
        on_time = at_ms - slots[-1] <= LATE_S * 1000
        missed = slots[:-1] if on_time else slots
        runs = [_missed(schedule, slot, at_ms) for slot in missed]
        kind: Kind | None = "slot" if on_time else "catch-up" if schedule.catch_up is CatchUp.ONCE else None
        if kind is None:
            outcome, job = await self.schedules.write(schedule, None, runs, seen=seen, through=through)
        else:
            job_id = f"{run_prefix(schedule)}-{to_moment(slots[-1]):%Y%m%dT%H%M%SZ}"
            run = SlotRun(id=job_id, slot_ms=slots[-1], kind=kind, at_ms=at_ms, job=job_id, outcome="queued")
            refusal = await self.schedules.over(schedule, run)
            if refusal:
                runs.append(not_begun(run, str(refusal)))
                outcome, job = await self.schedules.write(schedule, None, runs, seen=seen, through=through)
            else:
                outcome, job = await self.schedules.begin(schedule, run, seen=seen, through=through, missed=runs)
        if outcome != "late":
            event = "schedule.fired" if outcome == "begun" else "schedule.skipped"
            log.info(event, schedule=schedule.name, outcome=outcome, job=job, missed=len(missed))

    async def _settle(self, schedule: Schedule) -> None:
        """Write down how runs ended, before retention takes their jobs."""
        redis, key = self.schedules.redis_of(schedule), keys.schedule_runs(schedule.name)
        runs = [msgspec.json.decode(raw, type=SlotRun) for raw in await redis.hvals(key)]
        running = [run for run in runs if not run.settled]
        await self.schedules.see(running)
        for run in running:
            if run.settled:
                await redis.hset(key, run.id, text(run))


def _missed(schedule: Schedule, slot_ms: int, at_ms: int) -> SlotRun:
    reason = "no process was there to begin it"
    return SlotRun(id=f"missed-{slot_ms}", slot_ms=slot_ms, kind="slot", at_ms=at_ms, outcome="missed", reason=reason)
