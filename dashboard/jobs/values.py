"""GET /admin/jobs/{id}/payload and …/result: the whole of a value of which the job's page shows the beginning."""

import asyncio
from typing import Any

import msgspec
from litestar import Request, Response, get
from litestar.exceptions import NotFoundException
from litestar.params import FromPath

from dashboard.auth import User
from dashboard.jobs.log import known
from dashboard.jobs.masking import outcome, visible
from service.api.dependencies import ServicesDep
from service.engine.payload_files import PayloadLost


@get("/jobs/{job_id:str}/payload")
async def job_payload(
    request: Request[User, Any, Any], services: ServicesDep, job_id: FromPath[str]
) -> Response[bytes]:
    """The payload as JSON, masked as on the page. Raises NoSuchJob, and NotFoundException where its file is lost."""
    job = await known(services, job_id)
    try:
        await services.runtime.payloads.load(job)
    except PayloadLost as error:
        raise NotFoundException(str(error)) from None
    return await _json(visible(job, request.user))


@get("/jobs/{job_id:str}/result")
async def job_result(request: Request[User, Any, Any], services: ServicesDep, job_id: FromPath[str]) -> Response[bytes]:
    """The result as JSON, masked as on the page. Raises NoSuchJob."""
    return await _json(outcome((await known(services, job_id)).result, request.user))


async def _json(value: Any) -> Response[bytes]:
    # Megabytes would hold up every other request.
    text = await asyncio.to_thread(lambda: msgspec.json.format(msgspec.json.encode(value)))
    return Response(text, media_type="application/json")
