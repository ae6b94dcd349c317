"""Jobs: the list, one job's status and detail, its files, and what one may do to it."""

from typing import Annotated, Any, cast

from litestar import Request, Response, delete, get, post, route
from litestar.enums import HttpMethod
from litestar.params import FromPath, FromQuery, QueryParameter

from service.access.personal import of_recipients
from service.api.audit_middleware import AUDIT
from service.api.auth import require_personal
from service.api.dependencies import CallerDep, Owner, ServicesDep
from service.api.downloads import NoSuchArtefact, download_artefact
from service.api.errors import BadRequest
from service.api.job_query import callers_query, coverage
from service.api.openapi import BINARY, RANGED, refusals
from service.api.schemas import FieldError, JobDetail, JobList, JobLog, JobStatus, JobSummary, LogLineBody
from service.database.api_keys import Scope
from service.engine.job_query import Term
from service.engine.job_status import detail_object, progress_object, rfc3339, status_object
from service.engine.states import State
from service.engine.store import Job, NoSuchJob
from service.lib.sentences.recogniser import shown
from service.services import Services
from settings.queues import Queue
from tasks.sdk.types import REGISTRY

PAGE_MAX = 200
"""Records one call reads: a few milliseconds of the queue server's time."""

FILTERS = ("queue", "status", "type", "q", "limit", "cursor")


async def own_job(services: Services, owner: str, job_id: str) -> Job:
    """The job, if it is the owner's. Raises NoSuchJob otherwise, so that a client does not learn which ids exist."""
    job = await services.store.get(job_id)
    if job is None or job.owner != owner:
        raise NoSuchJob(job_id[:120])
    return job


async def next_jobs(services: Services, job: Job) -> list[Job | None]:
    """Jobs that began with the completion of this one; None for each that is no longer kept."""
    return list(await services.store.get_many(job.next_jobs)) if job.next_jobs else []


@get("/", responses=refusals(400), summary="The owner's jobs, newest first")
async def list_jobs(
    request: Request[Any, Any, Any],
    services: ServicesDep,
    caller: CallerDep,
    queue: FromQuery[str | None] = None,
    status: FromQuery[str | None] = None,
    type: FromQuery[str | None] = None,
    q: FromQuery[str] = "",
    limit: Annotated[int, QueryParameter(ge=1, le=PAGE_MAX)] = 50,
    cursor: FromQuery[str | None] = None,
) -> JobList:
    """One page of jobs, without parts of jobs. A key for some job types has those of others left out, so a page may be short.

    `q` is a query such as `state:failed took:>30s error:"disk is full"` (docs/finding-jobs.md). One that no index answers looks
    at so many jobs per page; `note` then says how many, and `next_cursor` goes on.
    """
    _check_filters(
        request, {"queue": (queue, list(Queue)), "status": (status, list(State)), "type": (type, list(REGISTRY))}
    )
    given = [Term(key, (value,)) for key, value in (("queue", queue), ("state", status), ("task", type)) if value]
    query = await callers_query(services, caller.owner, q, given)
    try:
        page = await services.store.page(query.wanted, limit, cursor)
    except ValueError as error:
        raise BadRequest(FieldError("cursor", str(error))) from None
    lacking = coverage(page, cursor)
    answer = JobList(
        jobs=[_summary(job) for job in page.jobs if caller.may_meet(job.type)], next_cursor=page.next_cursor
    )
    if notes := [*query.notes, *([lacking] if lacking else [])]:
        answer["note"] = shown(" ".join(notes))
    return answer


def _check_filters(request: Request[Any, Any, Any], given: dict[str, tuple[str | None, list[Any]]]) -> None:
    errors = [
        FieldError(name, f"{name} must be one of {', '.join(map(str, known))}.")
        for name, (value, known) in given.items()
        if value is not None and value not in known
    ]
    errors += [
        FieldError(name[:100], f"{name[:100]} is not a filter: there are {', '.join(FILTERS)}.")
        for name in sorted(set(request.query_params) - set(FILTERS))
    ]
    if errors:
        raise BadRequest(*errors)


def _summary(job: Job) -> JobSummary:
    return cast(JobSummary, progress_object(job) | {"type": job.type, "queue": job.queue, "priority": job.priority})


@get("/{job_id:str}", responses=refusals(404), summary="All that is known of a job")
async def read_job(job_id: FromPath[str], services: ServicesDep, owner: Owner) -> JobDetail:
    """Payload, attempts with worker, times, error and traceback, result, files and parts. A payload of more than a mebibyte is
    left out; `payload_note` then says so."""
    job = await own_job(services, owner, job_id)
    note = await services.runtime.payloads.show(job)
    attempts, parts = await services.store.attempts(job_id), await services.store.parts(job_id)
    return cast(JobDetail, detail_object(job, attempts, parts, await next_jobs(services, job), note))


@get("/{job_id:str}/log", responses=refusals(404), summary="Lines that a job's task has logged")
async def read_log(job_id: FromPath[str], services: ServicesDep, owner: Owner) -> JobLog:
    """The last 200 lines of all attempts, oldest first, without values that the job type declares personal."""
    await own_job(services, owner, job_id)
    lines = await services.store.log(job_id)
    return JobLog(
        lines=[
            LogLineBody(
                at=cast(str, rfc3339(line.at_ms)),
                level=line.level,
                attempt=line.attempt,
                event=line.event,
                fields=line.fields,
            )
            for line in lines
        ]
    )


@route(
    "/{job_id:str}/files/{name:str}",
    http_method=[HttpMethod.GET, HttpMethod.HEAD],
    opt={"ticket": True},
    responses={200: BINARY, **RANGED, **refusals(404, 416)},
    summary="A finished file of a job, or a range of it",
)
async def read_artefact(
    job_id: FromPath[str],
    name: FromPath[str],
    request: Request[Any, Any, Any],
    services: ServicesDep,
    caller: CallerDep,
) -> Response[Any]:
    """With recipients in it only for a key with the scope personal."""
    job = await own_job(services, caller.owner, job_id)
    await services.runtime.payloads.show(job)
    if of_recipients(job, name):
        require_personal(caller)
    answer = await download_artefact(request, services, job, name)
    if answer is None:
        raise NoSuchArtefact(job, name)
    return answer


@post(
    "/{job_id:str}/retry",
    opt={AUDIT: "job.retried", "scope": Scope.OPERATE},
    status_code=202,
    responses=refusals(404, 409),
    summary="Queue a failed or cancelled job again",
)
async def retry_job(
    job_id: FromPath[str], request: Request[Any, Any, Any], services: ServicesDep, owner: Owner
) -> JobStatus:
    await own_job(services, owner, job_id)
    job = await services.store.retry(job_id)
    return cast(JobStatus, status_object(job))


@post(
    "/{job_id:str}/cancel",
    opt={AUDIT: "job.cancelled", "scope": Scope.OPERATE},
    status_code=202,
    responses=refusals(404, 409),
    summary="Stop a job",
)
async def cancel_job(
    job_id: FromPath[str], request: Request[Any, Any, Any], services: ServicesDep, owner: Owner
) -> JobStatus:
    """At once where it waits; a running one as soon as its worker has stopped it."""
    await own_job(services, owner, job_id)
    job = await services.store.cancel(job_id)
    return cast(JobStatus, status_object(job))


@delete(
    "/{job_id:str}",
    opt={AUDIT: "job.deleted", "scope": Scope.OPERATE},
    responses=refusals(404, 409),
    summary="Remove an ended job and its files",
)
async def delete_job(
    job_id: FromPath[str], request: Request[Any, Any, Any], services: ServicesDep, owner: Owner
) -> None:
    await own_job(services, owner, job_id)
    await services.jobs.delete(job_id)


handlers = [list_jobs, read_job, read_log, read_artefact, retry_job, cancel_job, delete_job]
