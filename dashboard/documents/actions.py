"""Actions of an operator on documents. Each is a POST, answered with the address to look at next."""

from typing import Any

from litestar import Request, post
from litestar.params import FromPath, URLEncodedBody
from litestar.response import Redirect

from dashboard.audit_middleware import ACTION, audit_detail, on_behalf
from dashboard.auth import User
from dashboard.documents.rows import SHOWN, rows_named
from dashboard.documents.views import within
from service.api.dependencies import ServicesDep
from service.database import Document
from service.documents.thumbnails.request import request_thumbnails
from service.submission import submit
from tasks.pdf_ocr import PdfOcr, pdf_ocr
from tasks.video_transcode import VideoTranscode, video_transcode


@post("/documents/{file_id:str}/thumbnails", status_code=303, opt={ACTION: "document.pictured"})
async def picture_document(
    request: Request[User, Any, Any],
    services: ServicesDep,
    file_id: FromPath[str],
    data: URLEncodedBody[dict[str, str]],
) -> Redirect:
    """Have the pictures of one document made."""
    document = await services.files.describe(file_id)
    accepted = await request_thumbnails(services.enqueuer, document, SHOWN.size)
    _audit(request, document, f", by {accepted.job_id}")
    return Redirect(f"{within(data.get('here', ''))}#row-{file_id}", status_code=303)


@post("/documents/thumbnails", status_code=303, opt={ACTION: "document.pictured"})
async def picture_documents(
    request: Request[User, Any, Any], services: ServicesDep, data: URLEncodedBody[dict[str, str]]
) -> Redirect:
    """Have the pictures made that a page of the list lacks. What cannot be drawn is not tried again."""
    rows = await rows_named(services, data.get("ids", ""))
    lacking = [row.document for row in rows if row.picture == "missing"]
    for document in lacking:
        await request_thumbnails(services.enqueuer, document, SHOWN.size)
    audit_detail(request, f"{len(lacking)} documents: {', '.join(one.name for one in lacking)}")
    return Redirect(within(data.get("here", "")), status_code=303)


@post("/documents/{file_id:str}/ocr", status_code=303, opt={ACTION: "document.read"})
async def read_document(request: Request[User, Any, Any], services: ServicesDep, file_id: FromPath[str]) -> Redirect:
    """Queue its OCR, for its owner."""
    document = await services.files.describe(file_id)
    accepted = await submit(services, pdf_ocr, PdfOcr(file_id=file_id), owner=document.owner)
    _audit(request, document, f", by {accepted.job_id}")
    return Redirect(f"/admin/jobs/{accepted.job_id}?notice=submitted", status_code=303)


@post("/documents/{file_id:str}/videos", status_code=303, opt={ACTION: "document.transcoded"})
async def transcode_document(
    request: Request[User, Any, Any], services: ServicesDep, file_id: FromPath[str]
) -> Redirect:
    """Queue all formats of a video, for its owner."""
    document = await services.files.describe(file_id)
    accepted = await submit(services, video_transcode, VideoTranscode(file_id=file_id), owner=document.owner)
    _audit(request, document, f", by {accepted.job_id}")
    return Redirect(f"/admin/jobs/{accepted.job_id}?notice=submitted", status_code=303)


@post("/documents/{file_id:str}/delete", status_code=303, opt={ACTION: "document.deleted"})
async def delete_document(request: Request[User, Any, Any], services: ServicesDep, file_id: FromPath[str]) -> Redirect:
    document = await services.files.metadata(file_id)
    _audit(request, document)
    await services.files.delete(file_id)
    return Redirect("/admin/documents?notice=document-deleted", status_code=303)


def _audit(request: Request[User, Any, Any], document: Document, more: str = "") -> None:
    """The line belongs to the document's owner, who could not know of it by the id alone once the document is gone."""
    audit_detail(request, f"{document.name}{more}")
    on_behalf(request, document.owner)
