"""POST /api/jobs/<type>: one route for each public job type, made from its declaration."""

import re
from typing import Annotated, Any

from litestar import post
from litestar.handlers import HTTPRouteHandler
from litestar.params import FromPath, HeaderParameter, JSONBody

from service import submission
from service.api.audit_middleware import AUDIT, QUEUED
from service.api.dependencies import Owner, ServicesDep
from service.api.errors import BadRequest, NoSuchType
from service.api.openapi import refusals
from service.api.schemas import AcceptedBody, FieldError
from service.api.strict_json import StrictJson
from service.submission import payload_of, request_type, terms_of
from tasks.sdk.types import REGISTRY, JobType

IDEMPOTENCY_KEY = re.compile(r"[\x21-\x7e]([\x20-\x7e]{0,253}[\x21-\x7e])?")

BODY_MAX_BYTES = 16 << 20
"""Room for the 100,000 ids that the largest request may name, each of 100 characters with its quotes."""


def submit_route(job_type: JobType) -> HTTPRouteHandler:
    """The route that queues one type of job."""
    wanted = request_type(job_type)

    async def submit(
        data: Any,
        services: ServicesDep,
        owner: Owner,
        idempotency_key: Annotated[str | None, HeaderParameter(name="Idempotency-Key")] = None,
    ) -> AcceptedBody:
        check_key(idempotency_key)
        accepted = await submission.submit(
            services,
            job_type,
            payload_of(job_type, data),
            owner=owner,
            priority=data.priority,
            terms=terms_of(data),
            idempotency_key=idempotency_key,
        )
        return AcceptedBody.of(accepted)

    # The annotation is the declaration's own, so that Litestar documents each type's payload under its own name.
    submit.__annotations__["data"] = JSONBody[wanted]  # type: ignore[valid-type, misc]  # made at run time
    return post(
        f"/{job_type.name}",
        status_code=202,
        dto=StrictJson,
        return_dto=None,
        opt={AUDIT: QUEUED, "job_type": job_type.name},
        request_max_body_size=BODY_MAX_BYTES,
        operation_id=f"submit-{job_type.name}",
        summary=f"Queue a {job_type.name} job",
        description=job_type.description or None,
        responses=refusals(400, 404, 409, 413, 429),
    )(submit)


@post("/{job_id:str}", include_in_schema=False)
async def refuse_unknown_type(job_id: FromPath[str]) -> None:
    """Whatever submit_route knows goes there. The name in the path is that of the routes of a job, as Litestar wants it."""
    known = ", ".join(sorted(job_type.name for job_type in REGISTRY.values() if job_type.public))
    raise NoSuchType(f"There is no job type {job_id[:80]}: there are {known}.")


def check_key(key: str | None) -> None:
    if key is not None and not IDEMPOTENCY_KEY.fullmatch(key):
        raise BadRequest(FieldError("Idempotency-Key", "Idempotency-Key must be 1 to 255 printable ASCII characters."))
