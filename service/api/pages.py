"""GET and PATCH /api/documents/{id}/pages/{n}: a page as it was read, and its correction by a person."""

from typing import Any

from litestar import Request, get, patch
from litestar.params import FromPath, JSONBody

from service.api.audit_middleware import AUDIT, BY_HANDLER
from service.api.auth import address_of
from service.api.dependencies import CallerDep, ServicesDep
from service.api.error_table import Conflict
from service.api.openapi import refusals
from service.api.page_bodies import PageBody, page_body
from service.api.schemas import FieldError
from service.api.strict_json import StrictJson
from service.documents.corrections.editing import PageChange
from service.documents.corrections.readings import DocumentPage
from service.documents.corrections.rows import PageChanged
from service.lib.user_agent import terminal_user
from service.monitoring.audit_log import AuditEntry, Target
from tasks.pdf_ocr import pdf_ocr


@get(
    "/{file_id:str}/pages/{page:int}",
    opt={"job_type": pdf_ocr.name},
    responses=refusals(400, 404),
    summary="A page as it was read",
    tags=["pages"],
)
async def read_page(file_id: FromPath[str], page: FromPath[int], services: ServicesDep, caller: CallerDep) -> PageBody:
    """A page (from 1) of the document's newest completed reading, with the corrections that people have made."""
    document = await services.files.describe(file_id, caller.owner)
    return page_body(await services.corrections.readings.page(document, page))


@patch(
    "/{file_id:str}/pages/{page:int}",
    dto=StrictJson,
    return_dto=None,
    opt={AUDIT: BY_HANDLER, "job_type": pdf_ocr.name},
    responses=refusals(400, 404, 409),
    summary="Correct a page",
    tags=["pages"],
)
async def correct_page(
    request: Request[Any, Any, Any],
    file_id: FromPath[str],
    page: FromPath[int],
    services: ServicesDep,
    caller: CallerDep,
    data: JSONBody[PageChange],
) -> PageBody:
    """Correct words or lines, confirm them, remove them, or approve the page. The reading's text.txt, pages.json and
    searchable.pdf follow before the answer, or by the job `files_follow` where the document has more than 50 pages.

    409 where the page has another version by now, with both texts in `errors`, or is being read again. Corrections stay
    with the document: a later reading takes them over where its words stand in the same places.
    """
    document = await services.files.describe(file_id, caller.owner)
    try:
        done = await services.corrections.correct(document, page, data, by=caller.owner)
    except PageChanged as changed:
        now = await services.corrections.readings.page(document, page)
        raise Conflict(str(changed), conflicts(now, data)) from None
    user = terminal_user(request.headers.get("user-agent", ""))
    line = AuditEntry(
        actor=f"cli:{user}" if user else caller.owner,
        role="owner",
        action="page.corrected",
        target=Target("document", file_id),
        owner=caller.owner,
        detail=done.detail,
        address=address_of(request.scope) or None,
    )
    await services.audit.record(line)
    return page_body(done.page, done.job_id)


def conflicts(now: DocumentPage, change: PageChange) -> list[FieldError]:
    """For each word that a refused change named, the text there now and the one that was sent."""
    read = now.read
    found = [FieldError("version", f"The page's version is {now.version} now, not {change.version}.")]
    for number, one in enumerate(change.words[:20]):
        words = [
            word.text
            for word in (read.words if read else ())
            if (word.order == one.order if one.order is not None else word.line == one.line)
        ]
        there = f"“{' '.join(words)}” now" if words else "nothing any more"
        sent = "its removal" if one.remove else f"“{one.text}”"
        found.append(FieldError(f"words[{number}]", f"There is {there}; you sent {sent}."))
    return found


handlers = [read_page, correct_page]
