"""GET /j/{ticket}: what the ticket permits to read, as a page in the reader's language. HTMX keeps it current."""

import logging
from typing import Any
from urllib.parse import quote

from litestar import Request, Router, get
from litestar.exceptions import HTTPException
from litestar.params import FromPath
from litestar.response import Template

from dashboard.rendering import HTMX_STOP_POLLING
from dashboard.status_link.texts import TEXTS, pages_read, size, time_left
from service.api import EXCEPTION_HANDLERS
from service.api.dependencies import ServicesDep
from service.api.error_table import explained
from service.engine.estimates import estimated_completion_ms
from service.engine.job_status import file_object
from service.engine.store import Job
from service.lib.clock import now_ms
from service.lib.languages import language_of, translated, use_language
from service.lib.sentences.recogniser import shown
from service.lib.text import as_sentence
from service.lib.tickets import BadTicket, ExpiredTicket, page_path
from service.services import Services

logger = logging.getLogger("offload.dashboard")

PRIVATE = {
    "Cache-Control": "no-store",
    # The address is the permission: no search engine keeps it, and no site that the reader goes to next is sent it.
    "X-Robots-Tag": "noindex, nofollow",
    "Referrer-Policy": "no-referrer",
    "Vary": "Accept-Language",
}

REFRESH_S = 10
"""Seconds between two loads of the page in a browser without scripts."""


class Closed(Exception):
    """A link that shows no job: a status code, and the name of its sentence in TEXTS."""

    def __init__(self, status_code: int, text: str) -> None:
        super().__init__(text)
        self.status_code = status_code
        self.text = text


async def linked_job(services: Services, ticket: str) -> Job:
    """The job that a ticket shows. Raises Closed."""
    try:
        read = services.tickets.read(ticket)
    except ExpiredTicket:
        raise Closed(410, "link_expired") from None
    except BadTicket:
        raise Closed(404, "link_altered") from None
    if read.file:
        raise Closed(403, "link_file")
    job = await services.store.get(read.job_id)
    if job is None:
        raise Closed(410, "link_gone")
    return job


@get("/{ticket:str}")
async def status_page(ticket: FromPath[str], request: Request[Any, Any, Any], services: ServicesDep) -> Template:
    """The whole page."""
    return _page(request, job=_shown(await linked_job(services, ticket), ticket, _language(request)), ticket=ticket)


@get("/{ticket:str}/progress")
async def status_progress(ticket: FromPath[str], request: Request[Any, Any, Any], services: ServicesDep) -> Template:
    """The part that changes. Its last state ends the polling, as does a link that no longer holds."""
    try:
        job = await linked_job(services, ticket)
    except Closed as closed:
        return _part(request, HTMX_STOP_POLLING, sentence=_texts(request)[closed.text], ticket=ticket)
    status_code = HTMX_STOP_POLLING if job.state.terminal else 200
    return _part(request, status_code, job=_shown(job, ticket, _language(request)), ticket=ticket)


def _shown(job: Job, ticket: str, language: str) -> dict[str, Any]:
    """Facts of a job that the page shows: nothing that a ticket's status object lacks."""
    texts, state = translated(TEXTS, language), str(job.state)
    end_ms = None if job.state.terminal else estimated_completion_ms(job, now_ms())
    counted = pages_read(texts, job.data) if not job.state.terminal else None
    message = job.message if counted is None and not job.state.terminal else ""
    error = as_sentence(job.error) if job.error and state in ("failed", "retrying") else ""
    files = [file_object(job, one) for one in job.artefacts]
    return {
        "id": job.id,
        "state": state,
        "terminal": job.state.terminal,
        "progress": job.progress,
        "sentence": texts[state],
        "counted": counted,
        "message": shown(message),
        "error": shown(error),
        # English, where it is not one of our sentences.
        "stored_message": message,
        "stored_error": error,
        "left": time_left(texts, end_ms - now_ms()) if end_ms and state == "active" else "",
        "files": [
            {
                "name": one["name"],
                "label": texts.get(one["name"], ""),
                "size": size(one["bytes"], language),
                "url": f"{one['url']}?ticket={quote(ticket)}",
            }
            for one in files
        ],
    }


def _language(request: Request[Any, Any, Any]) -> str:
    wanted = language_of(request.headers.get("accept-language", ""), request.query_params.get("lang", ""))
    return use_language(wanted).language


def _texts(request: Request[Any, Any, Any]) -> Any:
    return translated(TEXTS, _language(request))


def _context(request: Request[Any, Any, Any], ticket: str, context: dict[str, Any]) -> dict[str, Any]:
    language = _language(request)
    shown = {"job": None, "sentence": "", "path": page_path(ticket), "refresh_s": REFRESH_S}
    return shown | {"language": language, "texts": translated(TEXTS, language)} | context


def _page(request: Request[Any, Any, Any], status_code: int = 200, ticket: str = "", **context: Any) -> Template:
    return Template(
        template_name="status_link/page.html",
        context=_context(request, ticket, context),
        status_code=status_code,
        headers=PRIVATE | {"Content-Language": _language(request)},
    )


def _part(request: Request[Any, Any, Any], status_code: int, ticket: str, **context: Any) -> Template:
    return Template(
        template_name="status_link/progress.html",
        context=_context(request, ticket, context),
        status_code=status_code,
        headers=PRIVATE,
    )


def explain(request: Request[Any, Any, Any], error: Exception) -> Template:
    """A page with one sentence for whatever was raised; the fragment's own request keeps asking."""
    if isinstance(error, Closed):
        status_code, text = error.status_code, error.text
    else:
        status_code = error.status_code if isinstance(error, HTTPException) else explained(error).status_code
        text = "link_altered" if status_code < 500 else "away" if status_code in (503, 507) else "broken"
    if status_code >= 500:
        # Without the address, which is the permission.
        logger.error("status_link.failed: %s", request.method, exc_info=error)
    return _page(request, status_code, sentence=_texts(request)[text])


def status_link_routes() -> Router:
    """The router of /j."""
    return Router(
        "/j",
        route_handlers=[status_page, status_progress],
        exception_handlers={Closed: explain, **dict.fromkeys(EXCEPTION_HANDLERS, explain)},
        include_in_schema=False,
    )
