"""Workflows: named jobs of which some come after others, queued in one request."""

import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import replace
from graphlib import CycleError, TopologicalSorter
from secrets import token_hex
from typing import Annotated, Any, Literal

import msgspec
from litestar import Request, Router, get, post
from litestar.params import FromPath, HeaderParameter, JSONBody

from service.api.audit_middleware import AUDIT
from service.api.auth import Caller
from service.api.batch import BatchJob, checked_job
from service.api.dependencies import CallerDep, ServicesDep
from service.api.error_table import refuse
from service.api.openapi import refusals
from service.api.schemas import ErrorBody, FieldError
from service.api.strict_json import StrictJson
from service.api.submit import BODY_MAX_BYTES, check_key
from service.database.api_keys import Scope
from service.engine.job_requests import Step
from service.engine.job_status import progress_object, rfc3339
from service.engine.store import Job, NoSuchWorkflow, WrongState
from service.engine.store.workflows import Workflow, state_of
from service.engine.terms import CallbackUrl
from service.services import Services
from service.submission import check_callback

JOBS_MAX = 100
"""Jobs of a workflow: what one page can still show, and one script call starts in a few milliseconds."""

TERMS = ("priority", "schedule_at", "not_after", "deadline", "callback_url")
"""Terms that hold for each job alone. One that could be another request's job would leave its place in the order."""

Name = Annotated[str, msgspec.Meta(pattern=r"^[A-Za-z0-9][A-Za-z0-9_.-]{0,59}$")]


class WorkflowJob(msgspec.Struct, forbid_unknown_fields=True, frozen=True, kw_only=True):
    """A job and the names of those that must end before it begins.

    `{"$job": "scan"}` in its payload becomes the id of the workflow's job `scan`.
    """

    name: Name
    type: str
    payload: dict[str, Any]
    after: list[str] = []
    priority: str | None = None
    schedule_at: str | None = None
    not_after: str | None = None
    deadline: str | None = None
    callback_url: str | None = None


class WorkflowRequest(msgspec.Struct, forbid_unknown_fields=True, frozen=True, kw_only=True):
    """Jobs in any order. `on_failure`: after a job that did not complete, `stop` keeps those after it waiting until a retry
    of it has completed; `continue` starts them all the same."""

    jobs: Annotated[list[WorkflowJob], msgspec.Meta(min_length=1, max_length=JOBS_MAX)]
    on_failure: Literal["stop", "continue"] = "stop"
    callback_url: CallbackUrl | None = None
    """Gets a signed POST when the workflow has ended, whichever way (docs/webhooks.md)."""


class WorkflowAccepted(msgspec.Struct):
    """The ids of the jobs by name."""

    workflow_id: str
    jobs: dict[str, str]
    status_url: str


class WorkflowJobBody(msgspec.Struct):
    """A job of a workflow. `status` is `deleted` for one that is no longer kept."""

    job_id: str
    type: str | None
    after: list[str]
    status: str
    progress: int
    message: str
    error: str | None
    started_at: str | None
    finished_at: str | None
    status_url: str


class WorkflowBody(msgspec.Struct):
    """`status`: active, completed, failed, expired or cancelled; of the last three a retry of the job may go on with it."""

    workflow_id: str
    status: str
    on_failure: str
    created_at: str | None
    jobs: dict[str, WorkflowJobBody]


@post(
    "/",
    status_code=202,
    dto=StrictJson,
    return_dto=None,
    opt={AUDIT: "workflow.queued"},
    request_max_body_size=BODY_MAX_BYTES,
    responses=refusals(400, 404, 409, 413, 429),
    summary="Queue jobs that come after each other",
)
async def create_workflow(
    data: JSONBody[WorkflowRequest],
    services: ServicesDep,
    caller: CallerDep,
    idempotency_key: Annotated[str | None, HeaderParameter(name="Idempotency-Key")] = None,
) -> WorkflowAccepted:
    """All are queued or none. Each payload is checked now, as a request for the job would be."""
    check_key(idempotency_key)
    _check_graph(data.jobs)
    if data.callback_url:
        await check_callback(services, data.callback_url)
    ids = {job.name: f"{job.type}-{token_hex(10)}" for job in data.jobs}
    steps = await _steps(services, caller, data.jobs, ids)
    workflow_id = _workflow_id(caller.owner, idempotency_key)
    fingerprint = hashlib.sha256(msgspec.json.encode(data, order="deterministic")).hexdigest()
    jobs = await services.enqueuer.enqueue_workflow(
        steps,
        workflow_id=workflow_id,
        owner=caller.owner,
        goes_on=data.on_failure == "continue",
        key=idempotency_key or "",
        fingerprint=fingerprint,
        callback_url=data.callback_url or "",
    )
    return WorkflowAccepted(workflow_id, dict(jobs), f"/api/workflows/{workflow_id}")


def _workflow_id(owner: str, key: str | None) -> str:
    """The same id for the same Idempotency-Key: it holds for as long as the workflow is kept."""
    return f"workflow-{hashlib.sha256(f'{owner} {key}'.encode()).hexdigest()[:20] if key else token_hex(10)}"


def _check_graph(jobs: Sequence[WorkflowJob]) -> None:
    """Raise BadRequest that names each field from which no order follows."""
    names = [job.name for job in jobs]
    errors = []
    for number, job in enumerate(jobs):
        if names.index(job.name) != number:
            errors.append(FieldError(f"jobs[{number}].name", f"Two jobs are named {job.name}."))
        errors += [
            FieldError(f"jobs[{number}].after", f"There is no job {other[:60]} in the workflow.")
            for other in job.after
            if other not in names
        ]
        if len(set(job.after)) < len(job.after):
            errors.append(FieldError(f"jobs[{number}].after", "after names a job twice."))
    if not errors:
        try:
            TopologicalSorter({job.name: job.after for job in jobs}).prepare()
        except CycleError as error:
            circle = " → ".join(reversed(error.args[1]))
            errors.append(FieldError("jobs", f"Each waits for the one before it, in a circle: {circle}."))
    refuse(errors)


async def _steps(services: Services, caller: Caller, jobs: Sequence[WorkflowJob], ids: Mapping[str, str]) -> list[Step]:
    """The jobs as the engine takes them. Raises BadRequest with the wrong fields of all of them."""
    steps, errors = [], []
    for number, job in enumerate(jobs):
        given = {field: getattr(job, field) for field in ("type", *TERMS)}
        try:
            payload = _with_ids(job.payload, ids)
        except KeyError as error:
            sentence = f"There is no job {error.args[0]} in the workflow."
            errors.append(FieldError(f"jobs[{number}].payload", sentence))
            continue
        checked = await checked_job(services, caller, BatchJob(payload=payload, **given))
        if isinstance(checked, ErrorBody):
            errors += [FieldError(f"jobs[{number}].{one.field}", one.message) for one in checked.errors]
        else:
            steps.append(Step(job.name, replace(checked, job_id=ids[job.name]), job.after))
    refuse(errors)
    return steps


def _with_ids(value: Any, ids: Mapping[str, str]) -> Any:
    """A payload with ids where it names jobs. Raises KeyError for a name that there is not."""
    if isinstance(value, dict):
        if set(value) == {"$job"}:
            name = str(value["$job"])[:60]
            return ids[name]
        return {key: _with_ids(one, ids) for key, one in value.items()}
    return [_with_ids(one, ids) for one in value] if isinstance(value, list) else value


@get("/{workflow_id:str}", responses=refusals(404), summary="A workflow and each of its jobs")
async def read_workflow(workflow_id: FromPath[str], services: ServicesDep, caller: CallerDep) -> WorkflowBody:
    workflow = await _own(services, caller, workflow_id)
    return _body(workflow, await services.store.get_many([job_id for job_id, _ in workflow.jobs.values()]))


@post(
    "/{workflow_id:str}/cancel",
    opt={AUDIT: "workflow.cancelled", "scope": Scope.OPERATE},
    status_code=202,
    responses=refusals(404, 409),
    summary="Stop whatever of a workflow has not ended",
)
async def cancel_workflow(
    workflow_id: FromPath[str], request: Request[Any, Any, Any], services: ServicesDep, caller: CallerDep
) -> WorkflowBody:
    """Those that wait at once, the running ones as soon as their workers have stopped them."""
    workflow = await _own(services, caller, workflow_id)
    ids = [job_id for job_id, _ in workflow.jobs.values()]
    jobs = [job for job in await services.store.get_many(ids) if job and not job.state.terminal]
    if not jobs:
        raise WrongState(f"every job of workflow {workflow_id} has ended")
    # Those that wait for others first, so that none of them begins in the meantime.
    for job in sorted(jobs, key=lambda job: -job.waits_for):
        try:
            await services.store.cancel(job.id)
        except WrongState:  # It has ended since.
            continue
    return _body(workflow, await services.store.get_many(ids))


async def _own(services: Services, caller: Caller, workflow_id: str) -> Workflow:
    """The workflow, if it is the owner's, and all its jobs of types that the key is for. Raises NoSuchWorkflow otherwise."""
    workflow = await services.store.workflow(workflow_id)
    if workflow is None or workflow.owner != caller.owner:
        raise NoSuchWorkflow(workflow_id[:120])
    # An id begins with the job's type.
    if not all(caller.may_meet(job_id.rpartition("-")[0]) for job_id, _ in workflow.jobs.values()):
        raise NoSuchWorkflow(workflow_id[:120])
    return workflow


def _body(workflow: Workflow, jobs: Sequence[Job | None]) -> WorkflowBody:
    bodies = {
        name: _job_body(job_id, after, job)
        for (name, (job_id, after)), job in zip(workflow.jobs.items(), jobs, strict=True)
    }
    on_failure = "continue" if workflow.goes_on else "stop"
    return WorkflowBody(workflow.id, str(state_of(jobs)), on_failure, rfc3339(workflow.created_ms), bodies)


def _job_body(job_id: str, after: list[str], job: Job | None) -> WorkflowJobBody:
    url = f"/api/jobs/{job_id}/status"
    if job is None or job.deleted_ms:
        return WorkflowJobBody(job_id, None, after, "deleted", 0, "", None, None, None, url)
    shown = progress_object(job)
    fields = {field: shown[field] for field in ("status", "progress", "message", "error", "started_at", "finished_at")}
    return WorkflowJobBody(job_id=job_id, type=job.type, after=after, status_url=url, **fields)


routes = Router("/workflows", route_handlers=[create_workflow, read_workflow, cancel_workflow], tags=["workflows"])
