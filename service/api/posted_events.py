"""POST /api/jobs/{id}/events/{name}: an event from outside, for a job whose task waits for one (`run.wait_for`)."""

from typing import Any, cast

import msgspec
from litestar import Request, post
from litestar.params import FromPath

from service.api.audit_middleware import AUDIT
from service.api.dependencies import Owner, ServicesDep
from service.api.errors import BadRequest
from service.api.jobs import own_job
from service.api.openapi import refusals
from service.api.schemas import FieldError, JobStatus
from service.api.strict_json import decode_json
from service.database.api_keys import Scope
from service.engine.job_status import status_object
from tasks.sdk.types import EVENT_NAME

BODY_MAX_BYTES = 64 << 10
"""An event is a decision or a reference, kept with the job in the queue server's memory: what is larger is a file."""


def check_name(name: str) -> str:
    """The name of an event. Raises BadRequest for one that no task can wait for."""
    if not EVENT_NAME.fullmatch(name):
        words = "An event's name is a letter and up to 59 letters, digits, _, . and -."
        raise BadRequest(FieldError("name", words))
    return name


@post(
    "/{job_id:str}/events/{name:str}",
    opt={AUDIT: "job.event", "scope": Scope.OPERATE},
    status_code=202,
    request_max_body_size=BODY_MAX_BYTES,
    responses=refusals(400, 404, 409, 413),
    summary="Send an event to a job that waits for it",
)
async def post_event(
    job_id: FromPath[str], name: FromPath[str], request: Request[Any, Any, Any], services: ServicesDep, owner: Owner
) -> JobStatus:
    """The body is any JSON (empty for null) of 64 KB at most. The event is kept until the task asks for it, and may be sent
    again; one of the same name with another body is refused with 409, and so is one for a job that has ended or has gone on
    without it."""
    check_name(name)
    await own_job(services, owner, job_id)
    raw = await request.body()
    body = msgspec.json.encode(decode_json(raw) if raw.strip() else None, order="deterministic")
    job = await services.store.event_came(job_id, name, body, owner)
    return cast(JobStatus, status_object(job))


handlers = [post_event]
