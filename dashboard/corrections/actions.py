"""Actions of an operator on a page: to correct it, to approve it, to have it read again."""

from typing import Any

from litestar import Request, get, post
from litestar.params import FromPath, URLEncodedBody
from litestar.response import Redirect, Response, Template

from dashboard.audit_middleware import ACTION, audit_detail, on_behalf
from dashboard.auth import PERSONAL, User
from dashboard.corrections.form import sent
from dashboard.corrections.views import FRAGMENT, QUEUE_FIELDS, address, page_template
from dashboard.list_urls import given, list_address
from dashboard.rendering import render
from service.api.correction_links import HOURS, correction_link
from service.api.dependencies import ServicesDep
from service.documents.corrections.doubtful import DoubtfulFilter, doubtful_row, list_doubtful
from service.submission import submit
from tasks.pdf_ocr_page import PdfOcrPage, pdf_ocr_page
from tasks.sdk.errors import Refused


@post(
    "/documents/{file_id:str}/pages/{number:int}/correct",
    status_code=200,
    opt={ACTION: "page.corrected", PERSONAL: True},
)
async def correct_document_page(
    request: Request[User, Any, Any],
    services: ServicesDep,
    file_id: FromPath[str],
    number: FromPath[int],
    data: URLEncodedBody[dict[str, str]],
) -> Response[Any] | Template | Redirect:
    """Change the page. What is refused comes back with all that was typed."""
    # The form holds what the document says, which is not for the log.
    audit_detail(request, f"page {number}")
    document = await services.files.describe(file_id)
    on_behalf(request, document.owner)
    outcome = await sent(services.corrections, document, number, data, request.user.name)
    if outcome.done:
        audit_detail(request, outcome.done.detail)
        if FRAGMENT not in request.headers:
            here = list_address(address(file_id, number), given(request.query_params, QUEUE_FIELDS))
            return Redirect(f"{here}{'&' if '?' in here else '?'}notice=page-saved", status_code=303)
    return await page_template(request, services, outcome)


@post(
    "/documents/{file_id:str}/pages/{number:int}/reread",
    status_code=303,
    opt={ACTION: "page.reread", PERSONAL: True},
)
async def reread_document_page(
    request: Request[User, Any, Any],
    services: ServicesDep,
    file_id: FromPath[str],
    number: FromPath[int],
    data: URLEncodedBody[dict[str, str]],
) -> Redirect:
    """Queue another reading of the page, with a rotation, an engine or languages. Raises NoSuchFile, Refused."""
    document = await services.files.describe(file_id)
    on_behalf(request, document.owner)
    turn = data.get("rotation", "")
    if turn not in ("", "0", "90", "180", "270"):
        raise Refused("A page is turned by 0, 90, 180 or 270 degrees.", field="rotation")
    engine = data.get("engine") or None
    if engine not in (None, "auto", "rapidocr", "easyocr"):
        raise Refused("The engine is auto, rapidocr or easyocr.", field="engine")
    languages = data.get("languages", "").replace(",", " ").split() or ["en"]
    payload = PdfOcrPage(
        file_id=file_id,
        page=number,
        rotation=int(turn) if turn else None,  # type: ignore[arg-type]  # one of those above
        engine=engine,  # type: ignore[arg-type]  # as above
        languages=languages,
        text_layer="ignore" if data.get("text_layer") == "ignore" else "auto",
    )
    accepted = await submit(services, pdf_ocr_page, payload, owner=document.owner)
    turned = f", turned by {turn}°" if turn else ""
    audit_detail(
        request, f"page {number}{turned}, {engine or 'engine as usual'}, {' '.join(languages)}: {accepted.job_id}"
    )
    return Redirect(list_address(address(file_id, number), given(request.query_params, QUEUE_FIELDS)), status_code=303)


@post(
    "/documents/{file_id:str}/correction-link", status_code=200, opt={ACTION: "correction-link.issued", PERSONAL: True}
)
async def issue_document_link(
    request: Request[User, Any, Any], services: ServicesDep, file_id: FromPath[str]
) -> Template:
    """A link by which a person without a login corrects the document's doubtful pages. Raises NoSuchFile."""
    document = await services.files.describe(file_id)
    on_behalf(request, document.owner)
    link = correction_link(services, file_id, HOURS)
    audit_detail(request, f"until {link.expires_at}")
    if link.page_url.startswith("/"):
        host = f"{request.url.scheme}://{request.headers.get('host', '')}"
        link.page_url = host + link.page_url
    return render(request, "corrections/link.html", document=document, link=link)


@get("/documents/{file_id:str}/pages/{number:int}/next")
async def next_doubtful_page(
    request: Request[User, Any, Any], services: ServicesDep, file_id: FromPath[str], number: FromPath[int]
) -> Redirect:
    """The doubtful page after this one in the queue that it was opened from; the first behind the last; the queue's end."""
    document = await services.files.describe(file_id)
    queue = given(request.query_params, QUEUE_FIELDS)
    wanted = DoubtfulFilter(**{name: text for name, text in queue.items() if name != "queue"})
    row = await doubtful_row(services.database, document, number)
    found = list(await list_doubtful(services.database, wanted, limit=1, after=row)) if row else []
    found = found or [
        one
        for one in await list_doubtful(services.database, wanted, limit=2)
        if (one.sha256, one.page, one.owner) != (document.sha256, number, document.owner)
    ]
    if not found:
        rest = {name: text for name, text in queue.items() if name != "queue"}
        return Redirect(list_address("/admin/doubtful", rest), status_code=303)
    return Redirect(list_address(address(found[0].file_id, found[0].page), queue | {"queue": "1"}), status_code=303)
