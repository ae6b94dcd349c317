"""POST /api/jobs/batch: up to 1,000 jobs of any types in one request, each with its answer, or all or nothing."""

import asyncio
from typing import Annotated, Any, TypedDict, cast

import msgspec
from litestar import post
from litestar.params import JSONBody

from service.api.audit_middleware import AUDIT, QUEUED
from service.api.auth import Caller
from service.api.dependencies import CallerDep, ServicesDep
from service.api.error_table import BadRequest, refuse
from service.api.openapi import refusals
from service.api.schemas import AcceptedBody, ErrorBody, FieldError
from service.api.strict_json import StrictJson, decode_body
from service.api.submit import BODY_MAX_BYTES, IDEMPOTENCY_KEY
from service.engine.job_requests import Accepted, JobRequest
from service.engine.preparation import Refusal
from service.engine.redis.away import QueueServerAway
from service.engine.store import IdempotencyConflict
from service.engine.terms import Terms
from service.lib.text import as_sentence, with_stop
from service.services import Services
from service.submission import checked_work, payload_of, request_type, requestable, terms_of
from tasks.sdk.errors import Refused

JOBS_MAX = 1000
"""One script call: some tens of milliseconds of the queue server's time."""

CHECKED_AT_ONCE = 20
"""Payloads whose checks ask the database at the same time, out of a pool that all requests share."""


class BatchJob(msgspec.Struct, forbid_unknown_fields=True, frozen=True, kw_only=True):
    """One job: its type, its payload, and what else a request for one may hold."""

    type: str
    payload: dict[str, Any]
    priority: str | None = None
    schedule_at: str | None = None
    not_after: str | None = None
    deadline: str | None = None
    unique_key: str | None = None
    unique_for_s: float | None = None
    debounce: dict[str, Any] | None = None
    throttle: dict[str, Any] | None = None
    replace: dict[str, Any] | None = None
    rerun: dict[str, Any] | None = None
    callback_url: str | None = None
    idempotency_key: str | None = None
    idempotency_for_s: Annotated[int, msgspec.Meta(ge=1, le=30 * 86_400)] | None = None
    """Seconds for which the key holds, also after the job was deleted (its status is then `deleted`). Without it a key holds
    for a day, and no longer than its job."""


class BatchRequest(msgspec.Struct, forbid_unknown_fields=True, frozen=True, kw_only=True):
    """Jobs to queue. With `all_or_nothing` one that is refused keeps all others from being queued."""

    jobs: Annotated[list[BatchJob], msgspec.Meta(min_length=1, max_length=JOBS_MAX)]
    all_or_nothing: bool = False


class BatchAnswer(TypedDict, total=False):
    """The answer of a single request for the job: the fields of an accepted one, or those of an error."""

    job_id: str
    status: str
    status_url: str
    estimated_duration: str
    estimated_seconds: int
    warning: str
    status_code: int
    detail: str
    errors: list[FieldError]


class BatchBody(msgspec.Struct):
    """An answer for each job, in order."""

    jobs: list[BatchAnswer]


@post(
    "/batch",
    opt={AUDIT: QUEUED},
    status_code=202,
    dto=StrictJson,
    return_dto=None,
    request_max_body_size=BODY_MAX_BYTES,
    responses=refusals(400, 404, 409, 413, 429),
    summary="Queue many jobs",
)
async def submit_batch(data: JSONBody[BatchRequest], services: ServicesDep, caller: CallerDep) -> BatchBody:
    """Each job is checked as a single request would be, and has its own Idempotency-Key if it needs one."""
    gate = asyncio.Semaphore(CHECKED_AT_ONCE)

    async def check(job: BatchJob) -> JobRequest | ErrorBody:
        async with gate:
            return await checked_job(services, caller, job)

    checked = await asyncio.gather(*(check(job) for job in data.jobs))
    if data.all_or_nothing:
        _refuse_all(checked)
    requests = [one for one in checked if isinstance(one, JobRequest)]
    queued = await services.enqueuer.enqueue_together(requests, owner=caller.owner, all_or_nothing=data.all_or_nothing)
    for refusal in queued if data.all_or_nothing else ():
        if isinstance(refusal, Exception):
            raise refusal
    outcomes = iter(queued)
    bodies = [one if isinstance(one, ErrorBody) else _body(next(outcomes)) for one in checked]
    # As a single answer has it: without what there is not.
    return BatchBody([cast(BatchAnswer, msgspec.to_builtins(body)) for body in bodies])


async def checked_job(services: Services, caller: Caller, job: BatchJob) -> JobRequest | ErrorBody:
    """The job as the engine takes it, or the error of a single request for it."""
    try:
        job_type = requestable(job.type)
        if job.idempotency_key is not None and not IDEMPOTENCY_KEY.fullmatch(job.idempotency_key):
            raise Refused("idempotency_key must be 1 to 255 printable ASCII characters.", field="idempotency_key")
        if not caller.may_meet(job.type):
            raise Refused(f"This API key may not queue {job.type}.", field="type", status_code=403)
        given = {name: getattr(job, name) for name in ("priority", *Terms.__struct_fields__)}
        body = msgspec.json.encode(
            {**job.payload, **{name: value for name, value in given.items() if value is not None}}
        )
        request: Any = decode_body(body, request_type(job_type))
        payload = payload_of(job_type, request)
        terms = terms_of(request)
        units, mails = await checked_work(services, job_type, payload, owner=caller.owner, terms=terms)
        return JobRequest(
            job_type,
            payload,
            request.priority,
            terms,
            job.idempotency_key,
            units,
            mails=mails,
            idempotency_for_s=job.idempotency_for_s,
        )
    except BadRequest as error:
        return ErrorBody(400, str(error), list(error.errors))
    except Refused as error:
        sentence = with_stop(str(error))
        return ErrorBody(error.status_code, sentence, [FieldError(error.field, sentence)])


def _refuse_all(checked: list[JobRequest | ErrorBody]) -> None:
    """Raise BadRequest that names every wrong field of every job, where there is one."""
    errors = [
        FieldError(f"jobs[{number}].{field.field}", field.message)
        for number, one in enumerate(checked)
        if isinstance(one, ErrorBody)
        for field in one.errors
    ]
    refuse(errors)


def _body(outcome: Accepted | Refusal | None) -> AcceptedBody | ErrorBody:
    assert outcome is not None, "only jobs that go together are held"
    if isinstance(outcome, Accepted):
        return AcceptedBody.of(outcome)
    away = isinstance(outcome, QueueServerAway)
    status_code = 503 if away else 409 if isinstance(outcome, IdempotencyConflict) else 429
    return ErrorBody(status_code, as_sentence(str(outcome)), [])
