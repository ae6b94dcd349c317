"""Bodies of the routes of schedules, and how a schedule is written as one."""

from datetime import UTC, datetime
from typing import Annotated, Any, Literal

import msgspec

from service.engine.job_status import rfc3339
from service.engine.schedules.owned import OwnedSchedule
from service.engine.schedules.records import ScheduleState
from service.engine.terms import CallbackUrl
from service.services import Services
from settings.schedules import CatchUp

SHOWN = 10
"""Next times in an answer: enough to see over a weekend and a change of clocks."""

EVERY_MIN_S = 60
"""Shorter intervals are a loop, and belong into a task."""


Name = Annotated[str, msgspec.Meta(min_length=1, max_length=120, pattern=r"^[^\x00-\x1f\x7f]+$")]


class ScheduleRequest(msgspec.Struct, forbid_unknown_fields=True, frozen=True, kw_only=True):
    """A recurring job. Exactly one of `cron` (five fields, read in `zone`) and `every_s` (at least 60 seconds).

    `overlap`: what a slot does while the run before it has not ended. `catch_up`: whether one run makes up for slots that
    passed while no process was there. `jitter_s`: runs begin up to so many seconds after their slot. `callback_url`: gets a
    signed POST when a run has ended. `{date}` in a text of the payload becomes the slot's date.
    """

    name: Name
    job: str
    payload: dict[str, Any]
    cron: str | None = None
    every_s: Annotated[int, msgspec.Meta(ge=EVERY_MIN_S, le=366 * 86_400)] | None = None
    zone: str = "UTC"
    overlap: Literal["skip", "queue", "replace"] = "skip"
    catch_up: bool | Literal["once", "never"] = True
    jitter_s: Annotated[int, msgspec.Meta(ge=0, le=86_400)] = 0
    ends: Annotated[datetime, msgspec.Meta(tz=True)] | None = None
    callback_url: CallbackUrl | None = None


class SchedulePatch(msgspec.Struct, forbid_unknown_fields=True, frozen=True, kw_only=True):
    """Pause or resume. Slots that pass while it is paused are not made up for."""

    paused: bool
    reason: Annotated[str, msgspec.Meta(min_length=1, max_length=200)] = "paused by its owner"


class ScheduleRun(msgspec.Struct):
    """One slot. `outcome` is a job's status, or skipped, missed or gone, which `reason` explains."""

    slot: str | None
    kind: str
    outcome: str
    job_id: str | None
    reason: str | None


class ScheduleBody(msgspec.Struct):
    """A schedule with its next ten times in UTC and its last runs, newest first."""

    schedule_id: str
    name: str
    job: str
    payload: dict[str, Any]
    cron: str | None
    every_s: int | None
    zone: str
    overlap: str
    catch_up: bool
    jitter_s: int
    ends: str | None
    callback_url: str | None
    paused: bool
    pause_reason: str | None
    created_at: str | None
    next: list[str | None]
    runs: list[ScheduleRun]


class ScheduleList(msgspec.Struct):
    """All schedules of the owner, oldest first."""

    schedules: list[ScheduleBody]


class RunBody(msgspec.Struct):
    """A run that was started by hand."""

    job_id: str
    status_url: str


async def schedule_body(services: Services, one: OwnedSchedule) -> ScheduleBody:
    state: ScheduleState = await services.schedules.state(one.schedule())
    runs = [
        ScheduleRun(rfc3339(run.slot_ms), run.kind, run.outcome, run.job or None, run.reason or None)
        for run in state.runs
    ]
    slots = state.schedule.next_slots(datetime.now(UTC), SHOWN)
    return ScheduleBody(
        schedule_id=one.schedule_id,
        name=one.name,
        job=one.job,
        payload=one.payload,
        cron=one.cron or None,
        every_s=one.every_s,
        zone=one.zone,
        overlap=str(one.overlap),
        catch_up=one.catch_up is CatchUp.ONCE,
        jitter_s=one.jitter_s,
        ends=rfc3339(int(one.ends.timestamp() * 1000)) if one.ends else None,
        callback_url=one.callback_url or None,
        paused=state.pause is not None,
        pause_reason=state.pause.reason if state.pause else None,
        created_at=rfc3339(one.created_ms),
        next=[rfc3339(int(slot.timestamp() * 1000)) for slot in slots],
        runs=runs,
    )
