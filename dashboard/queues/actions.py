"""Starting a job from the first page: a document goes in, and its OCR is queued."""

from typing import Any

from litestar import Request, post
from litestar.response import Redirect

from dashboard import csrf
from dashboard.audit_middleware import ACTION, audit_detail
from dashboard.auth import User
from service.api.dependencies import ServicesDep
from service.api.upload_form import open_upload_form
from service.submission import submit
from tasks.pdf_ocr import PdfOcr, pdf_ocr
from tasks.sdk.errors import Refused

PRIORITIES = ("high", "normal", "low")


@post(
    "/queues/pdf-processing/upload",
    status_code=303,
    request_max_body_size=None,
    opt={csrf.CHECKED_BY_HANDLER: True, ACTION: "document.uploaded"},
)
async def upload_document(request: Request[User, Any, Any], services: ServicesDep) -> Redirect:
    """The file is never whole in memory: it is read as it arrives, after the token that stands before it in the form.

    `DocumentStore.upload` bounds its size, so the server's own bound on bodies is off.
    """
    form = await open_upload_form(request.headers, request.stream())
    csrf.require_token(request, form.fields.get(csrf.FIELD))
    priority = form.fields.get("priority", "normal")
    if priority not in PRIORITIES:
        raise Refused(f"There is no priority {priority[:40]}: it is high, normal or low.", field="priority")
    owner = request.user.owner
    document = await services.files.upload(form.chunks(), owner=owner, name=form.name)
    accepted = await submit(services, pdf_ocr, PdfOcr(file_id=document.file_id), owner=owner, priority=priority)
    audit_detail(request, f"{document.name} ({document.file_id}), read by {accepted.job_id}")
    return Redirect(f"/admin/jobs/{accepted.job_id}?notice=started", status_code=303)
