"""POST /api/documents/{id}/correction-link: permission for a person to correct one document's doubtful pages, without a login."""

import time
from typing import Annotated
from urllib.parse import quote

import msgspec
from litestar import post
from litestar.params import FromPath, JSONBody

from service.api.audit_middleware import AUDIT
from service.api.dependencies import CallerDep, ServicesDep
from service.api.openapi import refusals
from service.api.strict_json import StrictJson
from service.engine.job_status import rfc3339
from service.services import Services
from tasks.pdf_ocr import pdf_ocr

HOURS = 72
"""Default life of a link: a weekend."""

HOURS_MAX = 30 * 24


class CorrectionLinkRequest(msgspec.Struct, forbid_unknown_fields=True, frozen=True, kw_only=True):
    """Hours for which the link holds."""

    hours: Annotated[int, msgspec.Meta(ge=1, le=HOURS_MAX)] = HOURS


class CorrectionLinkBody(msgspec.Struct):
    """A link to a page for people, in English or German. It cannot be taken back before it expires."""

    page_url: str
    """Absolute where OFFLOAD_PUBLIC_URL is set."""
    expires_at: str | None


@post(
    "/{file_id:str}/correction-link",
    status_code=201,
    dto=StrictJson,
    return_dto=None,
    opt={AUDIT: "correction-link.issued", "job_type": pdf_ocr.name},
    responses=refusals(400, 404),
    summary="Issue a link to correct a document",
    tags=["pages"],
)
async def issue_correction_link(
    file_id: FromPath[str],
    services: ServicesDep,
    caller: CallerDep,
    data: JSONBody[CorrectionLinkRequest | None] = None,
) -> CorrectionLinkBody:
    """For a person without a login: the page behind it shows the document's doubtful pages, takes their corrections, and
    nothing else. It expires.
    """
    document = await services.files.describe(file_id, caller.owner)
    return correction_link(services, document.file_id, (data or CorrectionLinkRequest()).hours)


def correction_link(services: Services, file_id: str, hours: int) -> CorrectionLinkBody:
    """A link that holds for so many hours."""
    expires_s = int(time.time()) + hours * 3_600
    ticket = services.correction_links.issue(file_id, expires_s)
    url = f"{(services.settings.public_url or '').rstrip('/')}{correction_path(ticket)}"
    return CorrectionLinkBody(url, rfc3339(expires_s * 1000))


def correction_path(ticket: str) -> str:
    """Path of the page behind a link."""
    return f"/c/{quote(ticket)}"


handlers = [issue_correction_link]
