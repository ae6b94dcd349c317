"""Schedules of owners: recurring jobs by a cron expression or a fixed interval."""

from datetime import UTC, datetime
from typing import Annotated, Any, Literal

import msgspec
from litestar import Router, delete, get, patch, post
from litestar.params import FromPath, JSONBody

from service.api.audit_middleware import AUDIT, BY_HANDLER
from service.api.dependencies import CallerDep, Owner, Wired
from service.api.errors import BadRequest
from service.api.openapi import refusals
from service.api.schemas import FieldError
from service.api.strict_json import StrictJson, decode_body
from service.database.api_keys import Scope
from service.engine.job_status import rfc3339
from service.engine.schedules.owned import OwnedSchedule, new_schedule_id
from service.engine.schedules.records import ScheduleState
from service.engine.terms import CallbackUrl
from service.lib.clock import now_ms
from service.lib.text import as_sentence
from service.monitoring.audit_log import AuditEntry, Target
from service.services import Services
from service.submission import Checks, check_callback, requestable
from settings.schedules import CatchUp, Overlap
from tasks.sdk.errors import Refused
from tasks.sdk.types import Payload

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


@post(
    "/",
    status_code=201,
    dto=StrictJson,
    return_dto=None,
    responses=refusals(400, 404, 409),
    summary="Make a schedule",
)
async def create_schedule(
    data: JSONBody[ScheduleRequest], services: Wired, owner: Owner, caller: CallerDep
) -> ScheduleBody:
    """The payload is checked now, as a request for the job would be."""
    if caller.job_types and data.job not in caller.job_types:
        raise Refused(f"This API key may not queue {data.job[:80]}.", field="job", status_code=403)
    one = OwnedSchedule(
        schedule_id=new_schedule_id(),
        owner=owner,
        name=data.name,
        job=data.job,
        payload=data.payload,
        created_ms=now_ms(),
        cron=data.cron or "",
        every_s=data.every_s,
        zone=data.zone,
        overlap=Overlap(data.overlap),
        catch_up=CatchUp.ONCE if data.catch_up in (True, "once") else CatchUp.NEVER,
        jitter_s=data.jitter_s,
        ends=data.ends,
        callback_url=data.callback_url or "",
    )
    await _check(services, one)
    await services.schedules.owned.add(one)
    await _record(services, owner, "schedule.created", one)
    return await _body(services, one)


async def _check(services: Services, one: OwnedSchedule) -> None:
    """Refuse what can never run. Raises Refused or BadRequest, naming the field."""
    if bool(one.cron) == bool(one.every_s):
        raise Refused("Give either cron or every_s.", field="cron")
    if one.ends is not None and one.ends <= datetime.now(UTC):
        raise Refused("ends is in the past.", field="ends")
    job_type = requestable(one.job)
    schedule = one.schedule()
    if schedule.problem:
        field = "zone" if "time zone" in schedule.problem else "cron"
        raise Refused(as_sentence(schedule.problem.replace(one.schedule_id, one.name)), field=field)
    if schedule.next_after(datetime.now(UTC)) is None:
        raise Refused("No slot comes before the schedule ends.", field="ends")
    payload = _payload(job_type.payload, schedule.payload_at(datetime.now(UTC)))
    if one.callback_url:
        await check_callback(services, one.callback_url)
    if job_type.accepts:
        await job_type.accepts(payload, Checks(services, one.owner))


def _payload(kind: type[Payload], given: dict[str, Any]) -> Payload:
    try:
        return decode_body(msgspec.json.encode(given), kind)
    except BadRequest as error:
        named = [FieldError(f"payload.{one.field}", one.message) for one in error.errors]
        raise BadRequest(*named) from None


@get("/", responses=refusals(), summary="The owner's schedules")
async def list_schedules(services: Wired, owner: Owner) -> ScheduleList:
    return ScheduleList([await _body(services, one) for one in await services.schedules.owned.of(owner)])


@get("/{schedule_id:str}", responses=refusals(404), summary="One schedule")
async def read_schedule(schedule_id: FromPath[str], services: Wired, owner: Owner) -> ScheduleBody:
    return await _body(services, await services.schedules.owned.get(schedule_id, owner))


@patch(
    "/{schedule_id:str}",
    dto=StrictJson,
    return_dto=None,
    opt={"scope": Scope.OPERATE},
    responses=refusals(400, 404),
    summary="Pause or resume a schedule",
)
async def change_schedule(
    schedule_id: FromPath[str], data: JSONBody[SchedulePatch], services: Wired, owner: Owner
) -> ScheduleBody:
    one = await services.schedules.owned.get(schedule_id, owner)
    if data.paused:
        await services.schedules.pause(schedule_id, reason=data.reason, by=owner)
    else:
        await services.schedules.resume(schedule_id)
    await _record(services, owner, "schedule.paused" if data.paused else "schedule.resumed", one)
    return await _body(services, one)


@delete(
    "/{schedule_id:str}",
    opt={"scope": Scope.OPERATE},
    responses=refusals(404),
    summary="Delete a schedule; its jobs stay",
)
async def delete_schedule(schedule_id: FromPath[str], services: Wired, owner: Owner) -> None:
    one = await services.schedules.owned.get(schedule_id, owner)
    await services.schedules.owned.remove(schedule_id, owner)
    await _record(services, owner, "schedule.deleted", one)


@post("/{schedule_id:str}/run", status_code=202, responses=refusals(404, 409), summary="Start a run now")
async def run_schedule(schedule_id: FromPath[str], services: Wired, owner: Owner) -> RunBody:
    """In addition to its slots, paused or not; 409 while the run before has not ended and `overlap` is skip."""
    one = await services.schedules.owned.get(schedule_id, owner)
    try:
        job_id = await services.schedules.run_now(schedule_id, by=owner)
    except ValueError as error:
        raise Refused(as_sentence(str(error)), field="schedule_id", status_code=409) from None
    await _record(services, owner, "schedule.run", one)
    return RunBody(job_id, f"/api/jobs/{job_id}/status")


async def _record(services: Services, owner: str, action: str, one: OwnedSchedule) -> None:
    await services.audit.record(
        AuditEntry(
            actor=owner,
            role="owner",
            action=action,
            target=Target("schedule", one.schedule_id),
            owner=owner,
            detail=one.name,
        )
    )


async def _body(services: Services, one: OwnedSchedule) -> ScheduleBody:
    state: ScheduleState = await services.schedules.state(one.schedule())
    runs = [
        ScheduleRun(rfc3339(run.slot_ms), run.kind, run.outcome, run.job or None, run.said or None)
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


routes = Router(
    "/schedules",
    route_handlers=[create_schedule, list_schedules, read_schedule, change_schedule, delete_schedule, run_schedule],
    tags=["schedules"],
    opt={AUDIT: BY_HANDLER},
)
