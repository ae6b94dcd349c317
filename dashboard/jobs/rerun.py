"""Doing a job's work again as a new job: with the same payload, or with a changed one."""

from typing import Any

import msgspec
from litestar import Request, get, post
from litestar.params import FromPath
from litestar.response import Redirect, Template

from dashboard import csrf
from dashboard.audit_middleware import ACTION, audit_detail
from dashboard.auth import User, require_operator
from dashboard.jobs.fields import Field, as_typed, fields_of
from dashboard.jobs.form import show_form, start
from dashboard.owner_choices import OWNER
from service.api.dependencies import ServicesDep
from service.api.upload_form import FIELD_MAX_BYTES
from service.engine.payload_files import PayloadLost
from service.engine.store import Job
from service.engine.store.payloads import whole
from service.lib.text import as_sentence
from service.services import Services
from service.submission import submit
from tasks.sdk.errors import Refused
from tasks.sdk.types import REGISTRY, JobType, Payload


def repeatable(job: Job) -> bool:
    """True where the job's work can be asked for again by hand."""
    job_type = REGISTRY.get(job.type)
    return job_type is not None and job_type.public and not job.parent and not job.deleted_ms


@post("/jobs/{job_id:str}/copy", status_code=303, opt={ACTION: "job.copied"})
async def copy_job(request: Request[User, Any, Any], services: ServicesDep, job_id: FromPath[str]) -> Redirect:
    """Queue the same payload for the same owner as a new job. Raises NoSuchJob, Refused, TooManyQueued."""
    job = await services.store.present(job_id)
    job_type = _type_of(job)
    await _load(services, job)
    payload = _payload_of(job, job_type)
    accepted = await submit(services, job_type, payload, owner=job.owner, priority=job.priority, origin=job.id)
    audit_detail(request, f"{accepted.job_id} for {job.owner}")
    return Redirect(f"/admin/jobs/{accepted.job_id}?notice=copied", status_code=303)


@get("/jobs/{job_id:str}/edit", name="edit-job")
async def edit_job_page(request: Request[User, Any, Any], services: ServicesDep, job_id: FromPath[str]) -> Template:
    """The form of the job's task, filled with the job's payload: all of it, and therefore for operators alone."""
    require_operator(request)
    job = await services.store.present(job_id)
    job_type = _type_of(job)
    await _load(services, job)
    return show_form(request, services, job_type, _typed(fields_of(job_type), job), origin=job)


@post(
    "/jobs/{job_id:str}/edit",
    status_code=303,
    request_max_body_size=None,
    opt={csrf.CHECKED_BY_HANDLER: True, ACTION: "job.edited"},
)
async def edit_job(
    request: Request[User, Any, Any], services: ServicesDep, job_id: FromPath[str]
) -> Redirect | Template:
    """Queue the changed payload as a new job; the one it came from stays as it is. Raises NoSuchJob, Refused."""
    job = await services.store.present(job_id)
    started = await start(request, services, _type_of(job), origin=job)
    if isinstance(started, Template):
        return started
    await _load(services, job)
    # Names alone: a value may be personal, and the log is read by viewers.
    given, before = whole(started.payload), job.payload
    changed = ", ".join(name for name, value in given.items() if value != before.get(name)) or "nothing"
    audit_detail(request, f"{started.job_id} for {started.owner}, changed: {changed}")
    return Redirect(f"/admin/jobs/{started.job_id}?notice=edited", status_code=303)


def _type_of(job: Job) -> JobType:
    if job.parent:
        raise Refused(f"{job.id} is a part of {job.parent}: repeat that job.", field="job", status_code=409)
    if not repeatable(job):
        raise Refused(f"A {job.type} job cannot be started by hand.", field="job", status_code=409)
    return REGISTRY[job.type]


async def _load(services: Services, job: Job) -> None:
    try:
        await services.runtime.payloads.load(job)
    except PayloadLost as error:
        raise Refused(as_sentence(str(error)), field="job", status_code=409) from None


def _payload_of(job: Job, job_type: JobType) -> Payload:
    try:
        return msgspec.convert(job.payload, job_type.payload)
    except msgspec.ValidationError as error:
        sentence = f"The payload of {job.id} is none that this release knows: {error}. Edit it instead."
        raise Refused(sentence, field="job", status_code=409) from None


def _typed(fields: list[Field], job: Job) -> dict[str, str]:
    """The payload as it would be typed, with the job's priority and owner."""
    typed = {field.name: as_typed(job.payload.get(field.name, field.default)) for field in fields}
    long = next((name for name, value in typed.items() if len(value.encode()) > FIELD_MAX_BYTES), None)
    if long is not None:
        sentence = f"{long} is too long to be edited in a form: run a copy, or send the changed payload to the API."
        raise Refused(sentence, field=long, status_code=409)
    return typed | {"priority": job.priority, "schedule_at": "", OWNER: job.owner}
