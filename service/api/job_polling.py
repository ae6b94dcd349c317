"""GET /api/jobs/{id}/status: a job's state for clients that poll, with an ETag and `?wait=` for fewer requests."""

import asyncio
from typing import Annotated, Any

from litestar import Request, Response, get
from litestar.openapi import ResponseSpec
from litestar.params import FromPath, QueryParameter

from service.api.auth import Caller
from service.api.dependencies import CallerDep, ServicesDep
from service.api.downloads import matches
from service.api.job_events import Expired, event_id, statuses
from service.api.jobs import next_jobs, own_job
from service.api.openapi import refusals
from service.api.schemas import JobStatus
from service.engine.job_status import status_object
from service.services import Services

WAIT_MAX_S = 60
"""Shorter than the time after which common proxies give up on a silent request."""


@get(
    "/{job_id:str}/status",
    opt={"ticket": True},
    responses={
        200: ResponseSpec(JobStatus, generate_examples=False, description="The status object."),
        304: ResponseSpec(None, generate_examples=False, description="Unchanged since the ETag given."),
        **refusals(400, 404),
    },
    summary="Status of a job",
)
async def read_status(
    job_id: FromPath[str],
    request: Request[Any, Any, Any],
    services: ServicesDep,
    caller: CallerDep,
    wait: Annotated[int, QueryParameter(ge=0, le=WAIT_MAX_S)] = 0,
) -> Response[Any]:
    """With `?wait=30` the answer comes at the next change, at the latest after 30 seconds; of an ended job immediately.

    Jobs that began with its completion stand in `next_jobs` with their own status.

    With If-None-Match the change is one from the ETag given, and 304 says that there was none.
    """
    job = await own_job(services, caller.owner, job_id)
    status = status_object(job, next_jobs=await next_jobs(services, job))
    etag = event_id(status)
    known = request.headers.get("if-none-match")
    if wait and not job.state.terminal and (known is None or matches(known, etag)):
        status = await _next_status(services, job_id, caller, etag, wait) or status
        etag = event_id(status)
    headers = {"ETag": f'W/"{etag}"', "Cache-Control": "private, no-cache"}
    if matches(known, etag):
        return Response(b"", status_code=304, headers=headers)
    return Response(status, headers=headers, media_type="application/json")


async def _next_status(
    services: Services, job_id: str, caller: Caller, etag: str, wait_s: float
) -> dict[str, Any] | None:
    """The first status that differs from `etag` within `wait_s` seconds; None where there was none."""
    changes = statuses(services, job_id, caller)
    try:
        async with asyncio.timeout(wait_s):
            async for status in changes:
                if status is not None and event_id(status) != etag:
                    return status
    except (TimeoutError, Expired):
        pass
    finally:
        await changes.aclose()
    return None


handlers = [read_status]
