"""POST /api/jobs/{id}/ticket: permission for a browser to read one job for some minutes, without an API key."""

import time
from typing import Annotated
from urllib.parse import quote

import msgspec
from litestar import post
from litestar.params import FromPath, JSONBody

from service.access.personal import is_personal
from service.api.audit_middleware import AUDIT
from service.api.auth import require_personal
from service.api.dependencies import CallerDep, ServicesDep
from service.api.jobs import own_job
from service.api.openapi import refusals
from service.api.strict_json import StrictJson
from service.database.api_keys import Scope
from service.engine.job_status import rfc3339
from service.lib.tickets import page_path

MINUTES = 60
"""Default life of a ticket: longer than nearly every job, shorter than an address lives in a browser's history."""

MINUTES_MAX = 24 * 60


class TicketRequest(msgspec.Struct, forbid_unknown_fields=True, frozen=True, kw_only=True):
    """Minutes for which the ticket holds."""

    minutes: Annotated[int, msgspec.Meta(ge=1, le=MINUTES_MAX)] = MINUTES


class TicketBody(msgspec.Struct):
    """A ticket, sent as `?ticket=` or as a bearer token to status, events and files of its job."""

    ticket: str
    expires_at: str | None
    status_url: str
    page_url: str
    """Page for people, with the bar and the results; absolute where OFFLOAD_PUBLIC_URL is set."""


@post(
    "/{job_id:str}/ticket",
    status_code=201,
    dto=StrictJson,
    return_dto=None,
    opt={AUDIT: "ticket.issued", "scope": Scope.READ},
    responses=refusals(400, 404),
    summary="Issue a ticket to read a job",
)
async def issue_ticket(
    job_id: FromPath[str], services: ServicesDep, caller: CallerDep, data: JSONBody[TicketRequest | None] = None
) -> TicketBody:
    """For browsers: the ticket reads status, events and files of this one job, and expires. Of a job whose files tell of
    recipients it is issued by a key with the scope personal.
    """
    job = await own_job(services, caller.owner, job_id)
    await services.runtime.payloads.show(job)
    if is_personal(job):
        require_personal(caller)
    expires_s = int(time.time()) + (data or TicketRequest()).minutes * 60
    ticket = services.tickets.issue(job_id, expires_s)
    return TicketBody(
        ticket,
        rfc3339(expires_s * 1000),
        f"/api/jobs/{job_id}/status?ticket={quote(ticket)}",
        f"{(services.settings.public_url or '').rstrip('/')}{page_path(ticket)}",
    )


handlers = [issue_ticket]
