"""GET /c/{link}: the doubtful pages of one document, which a person without a login corrects. The address is the permission."""

from dataclasses import dataclass
from typing import Any

from litestar import Request, Response, Router, get, post
from litestar.exceptions import HTTPException
from litestar.params import FromPath, URLEncodedBody
from litestar.response import Redirect, Template

from dashboard.corrections.form import Outcome, sent
from dashboard.corrections.sheet import sheet_of
from dashboard.corrections.texts import PAGE_TEXTS
from dashboard.corrections.views import FRAGMENT, turned_picture
from dashboard.status_link.texts import TEXTS
from dashboard.status_link.views import PRIVATE, Closed
from service.api import EXCEPTION_HANDLERS
from service.api.auth import address_of
from service.api.correction_links import correction_path
from service.api.dependencies import ServicesDep
from service.api.error_table import explained
from service.database import Document
from service.database.corrections import DoubtfulPageRow
from service.documents.corrections.doubtful import doubtful_of
from service.documents.store import NoSuchFile
from service.lib.languages import language_of, translated, use_language
from service.lib.text import NUL
from service.lib.tickets import BadTicket, ExpiredTicket
from service.monitoring.audit_log import AuditEntry, Target
from service.services import Services

ACTOR = "correction link"
"""Actor of changes by a link: of the person behind it nothing is known."""

LISTED_MAX = 200
"""Doubtful pages that are listed by their numbers; the way through them is by "next"."""


@dataclass(frozen=True)
class Opened:
    """The document that a link opens, and its pages that are, or were, doubtful."""

    ticket: str
    document: Document
    rows: list[DoubtfulPageRow]

    def row(self, number: int) -> DoubtfulPageRow:
        """The row of a page. Raises Closed (404) for a page that the link does not open."""
        for row in self.rows:
            if row.page == number:
                return row
        raise Closed(404, "link_altered")

    def next_after(self, number: int) -> int | None:
        """The open page after this one, or the first behind the last; None where none is left."""
        others = [row.page for row in self.rows if row.state == "open" and row.page != number]
        return next((page for page in others if page > number), others[0] if others else None)


async def opened(services: Services, ticket: str) -> Opened:
    """The document behind a link. Raises Closed."""
    try:
        read = services.correction_links.read(ticket)
    except ExpiredTicket:
        raise Closed(410, "link_expired") from None
    except BadTicket:
        raise Closed(404, "link_altered") from None
    try:
        document = await services.files.describe(read.job_id)
    except NoSuchFile:
        raise Closed(410, "link_gone") from None
    return Opened(ticket, document, list(await doubtful_of(services.database, document)))


@get("/{ticket:str}")
async def correction_start(
    ticket: FromPath[str], request: Request[Any, Any, Any], services: ServicesDep
) -> Template | Redirect:
    """The first page that waits, or thanks where none does."""
    one = await opened(services, ticket)
    number = one.next_after(0)
    if number is None:
        return _rendered(request, "correction_link/page.html", opened=one, sheet=None)
    return Redirect(f"{_page_path(ticket, number)}?lang={_language(request)}", status_code=303, headers=PRIVATE)


@get("/{ticket:str}/pages/{number:int}")
async def correction_page(
    ticket: FromPath[str], number: FromPath[int], request: Request[Any, Any, Any], services: ServicesDep
) -> Template:
    """One page. Raises Closed, Refused."""
    one = await opened(services, ticket)
    one.row(number)
    return _page(request, one, Outcome(await services.corrections.readings.page(one.document, number)))


@get("/{ticket:str}/pages/{number:int}/picture")
async def correction_picture(
    ticket: FromPath[str], number: FromPath[int], request: Request[Any, Any, Any], services: ServicesDep
) -> Response[Any]:
    """Its picture. Raises Closed, Refused."""
    one = await opened(services, ticket)
    one.row(number)
    page = await services.corrections.readings.page(one.document, number)
    return await turned_picture(request, services, page)


@post("/{ticket:str}/pages/{number:int}/correct", status_code=200)
async def correct_by_link(
    ticket: FromPath[str],
    number: FromPath[int],
    request: Request[Any, Any, Any],
    services: ServicesDep,
    data: URLEncodedBody[dict[str, str]],
) -> Template | Redirect:
    """Change the page. What is refused comes back with all that was typed."""
    one = await opened(services, ticket)
    one.row(number)
    form = {name: text.replace(NUL, "") for name, text in data.items()}
    outcome = await sent(services.corrections, one.document, number, form, ACTOR)
    if outcome.done:
        line = AuditEntry(
            actor=ACTOR,
            role="link",
            action="page.corrected",
            target=Target("document", one.document.file_id),
            owner=one.document.owner,
            detail=outcome.done.detail,
            address=address_of(request.scope) or None,
        )
        await services.audit.record(line)
        if FRAGMENT not in request.headers:
            return Redirect(f"{_page_path(ticket, number)}?lang={_language(request)}", status_code=303, headers=PRIVATE)
        one = await opened(services, ticket)
    return _page(request, one, outcome)


def _page(request: Request[Any, Any, Any], one: Opened, outcome: Outcome) -> Template:
    language, base = _language(request), _page_path(one.ticket, outcome.page.number)
    turn = outcome.page.read.rotation if outcome.page.read else 0
    following = one.next_after(outcome.page.number)
    onward = _page_path(one.ticket, following) if following else correction_path(one.ticket)
    return _rendered(
        request,
        "corrections/part.html" if FRAGMENT in request.headers else "correction_link/page.html",
        outcome.status_code,
        opened=one,
        sheet=sheet_of(outcome.page, outcome.typed),
        outcome=outcome,
        picture=f"{base}/picture?turn={turn}",
        action=f"{base}/correct?lang={language}",
        next=f"{onward}?lang={language}",
        editable=True,
        left=None,
        listed=one.rows[:LISTED_MAX],
        start=correction_path(one.ticket),
        show_jobs=False,
        csrf="",
    )


def _page_path(ticket: str, number: int) -> str:
    return f"{correction_path(ticket)}/pages/{number}"


def _language(request: Request[Any, Any, Any]) -> str:
    wanted = language_of(request.headers.get("accept-language", ""), request.query_params.get("lang", ""))
    return use_language(wanted).language


def _rendered(request: Request[Any, Any, Any], name: str, status_code: int = 200, **context: Any) -> Template:
    language = _language(request)
    return Template(
        template_name=name,
        context={"language": language, "texts": translated(PAGE_TEXTS, language), "sentence": "", "opened": None}
        | context,
        status_code=status_code,
        headers=PRIVATE | {"Content-Language": language},
    )


def explain(request: Request[Any, Any, Any], error: Exception) -> Template:
    """A page with one sentence for whatever was raised."""
    if isinstance(error, Closed):
        status_code, text = error.status_code, error.text
    else:
        status_code = error.status_code if isinstance(error, HTTPException) else explained(error).status_code
        text = "link_altered" if status_code < 500 else "away" if status_code in (503, 507) else "broken"
    sentence = translated(TEXTS, _language(request))[text]
    return _rendered(request, "correction_link/page.html", status_code, sheet=None, sentence=sentence)


def correction_link_routes() -> Router:
    """The router of /c."""
    return Router(
        "/c",
        route_handlers=[correction_start, correction_page, correction_picture, correct_by_link],
        exception_handlers={Closed: explain, **dict.fromkeys(EXCEPTION_HANDLERS, explain)},
        request_max_body_size=1 << 20,
        include_in_schema=False,
    )
