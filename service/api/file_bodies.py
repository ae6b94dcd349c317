"""The JSON of a document, and what is noted when one was made."""

from typing import Any

from litestar import Request

from service.api.schemas import FileBody
from service.database import Document
from service.documents.same_bytes import ids_of
from service.engine.states import State
from service.engine.store.job_filter import JobFilter
from service.monitoring.audit_log import AuditEntry, Target
from service.services import Services
from tasks.pdf_ocr import pdf_ocr


def file_body(document: Document, read_by: str | None = None) -> FileBody:
    return FileBody(
        file_id=document.file_id,
        name=document.name,
        bytes=document.bytes,
        sha256=document.sha256,
        media_type=document.media_type,
        pages=document.pages,
        width=document.width,
        height=document.height,
        duration_seconds=document.seconds,
        read_by=read_by,
        scan=document.scan,
        signature=document.signature,
    )


async def with_reading(services: Services, document: Document, *, new: bool = False) -> FileBody:
    """The JSON of a document, with the newest completed job that has read the same bytes of the same owner.

    No job has read a `new` document itself.
    """
    ids = await ids_of(services.database, document.owner, document.sha256)
    if new and ids == [document.file_id]:
        return file_body(document)
    same = tuple(("file_id", file_id) for file_id in ids)
    wanted = JobFilter(state=State.COMPLETED, type=pdf_ocr.name, owner=document.owner, any_of=same)
    found = await services.store.page(wanted, 1)
    return file_body(document, found.jobs[0].id if found.jobs else None)


async def log_document(services: Services, request: Request[Any, Any, Any], document_id: str, upload_id: str) -> None:
    """Write into the audit log that an upload of several requests has become a document."""
    owner = str(request.scope["state"]["owner"])
    entry = AuditEntry(
        actor=owner,
        role="owner",
        action="file.uploaded",
        target=Target("file", document_id),
        owner=owner,
        detail=upload_id,
        address=request.client.host if request.client else None,
    )
    await services.audit.record(entry)
