"""Schedules of owners: recurring jobs by a cron expression or a fixed interval."""

from datetime import UTC, datetime
from typing import Any

import msgspec
from litestar import Router, delete, get, patch, post
from litestar.params import FromPath, JSONBody

from service.api.audit_middleware import AUDIT, BY_HANDLER
from service.api.auth import Caller
from service.api.dependencies import CallerDep, Owner, ServicesDep
from service.api.errors import BadRequest
from service.api.openapi import refusals
from service.api.schedule_bodies import (
    RunBody,
    ScheduleBody,
    ScheduleList,
    SchedulePatch,
    ScheduleRequest,
    schedule_body,
)
from service.api.schemas import FieldError
from service.api.strict_json import StrictJson, decode_body
from service.database.api_keys import Scope
from service.engine.schedules.owned import OwnedSchedule, new_schedule_id
from service.engine.schedules.records import NoSuchSchedule
from service.lib.clock import now_ms
from service.lib.text import as_sentence
from service.monitoring.audit_log import AuditEntry, Target
from service.services import Services
from service.submission import Checks, check_callback, requestable
from settings.schedules import CatchUp, Overlap
from tasks.sdk.errors import Refused
from tasks.sdk.types import Payload


@post(
    "/",
    status_code=201,
    dto=StrictJson,
    return_dto=None,
    responses=refusals(400, 404, 409),
    summary="Make a schedule",
)
async def create_schedule(
    data: JSONBody[ScheduleRequest], services: ServicesDep, owner: Owner, caller: CallerDep
) -> ScheduleBody:
    """The payload is checked now, as a request for the job would be."""
    if not caller.may_meet(data.job):
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
    return await schedule_body(services, one)


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
async def list_schedules(services: ServicesDep, caller: CallerDep) -> ScheduleList:
    own = await services.schedules.owned.of(caller.owner)
    return ScheduleList([await schedule_body(services, one) for one in own if caller.may_meet(one.job)])


@get("/{schedule_id:str}", responses=refusals(404), summary="One schedule")
async def read_schedule(schedule_id: FromPath[str], services: ServicesDep, caller: CallerDep) -> ScheduleBody:
    return await schedule_body(services, await _own(services, caller, schedule_id))


@patch(
    "/{schedule_id:str}",
    dto=StrictJson,
    return_dto=None,
    opt={"scope": Scope.OPERATE},
    responses=refusals(400, 404, 409),
    summary="Pause or resume a schedule",
)
async def change_schedule(
    schedule_id: FromPath[str], data: JSONBody[SchedulePatch], services: ServicesDep, caller: CallerDep
) -> ScheduleBody:
    one = await _own(services, caller, schedule_id)
    if data.paused:
        await services.schedules.pause(schedule_id, reason=data.reason, by=caller.owner)
    else:
        await services.schedules.resume(schedule_id)
    await _record(services, caller.owner, "schedule.paused" if data.paused else "schedule.resumed", one)
    return await schedule_body(services, one)


@delete(
    "/{schedule_id:str}",
    opt={"scope": Scope.OPERATE},
    responses=refusals(404),
    summary="Delete a schedule; its jobs stay",
)
async def delete_schedule(schedule_id: FromPath[str], services: ServicesDep, caller: CallerDep) -> None:
    one = await _own(services, caller, schedule_id)
    await services.schedules.owned.remove(schedule_id, caller.owner)
    await _record(services, caller.owner, "schedule.deleted", one)


@post("/{schedule_id:str}/run", status_code=202, responses=refusals(404, 409), summary="Start a run now")
async def run_schedule(schedule_id: FromPath[str], services: ServicesDep, caller: CallerDep) -> RunBody:
    """In addition to its slots, paused or not; 409 while the run before has not ended and `overlap` is skip."""
    one = await _own(services, caller, schedule_id)
    try:
        job_id = await services.schedules.run_now(schedule_id, by=caller.owner)
    except ValueError as error:
        raise Refused(as_sentence(str(error)), field="schedule_id", status_code=409) from None
    await _record(services, caller.owner, "schedule.run", one)
    return RunBody(job_id, f"/api/jobs/{job_id}/status")


async def _own(services: Services, caller: Caller, schedule_id: str) -> OwnedSchedule:
    """The schedule, if it is the owner's and of a type that the key is for. Raises NoSuchSchedule otherwise."""
    one = await services.schedules.owned.get(schedule_id, caller.owner)
    if not caller.may_meet(one.job):
        raise NoSuchSchedule(schedule_id)
    return one


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


routes = Router(
    "/schedules",
    route_handlers=[create_schedule, list_schedules, read_schedule, change_schedule, delete_schedule, run_schedule],
    tags=["schedules"],
    opt={AUDIT: BY_HANDLER},
)
