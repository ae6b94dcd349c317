"""/alert-mails/…: confirm alerts, or stop them, by the link of a message. The address is the permission.

A GET changes nothing: programs that look at links before a person does follow these too. The POST that stops them is the one
click of a mail program (RFC 8058), or the button of the page.
"""

import logging
from typing import Any

from litestar import Request, Router, get, post
from litestar.exceptions import HTTPException
from litestar.params import FromPath
from litestar.response import Template

from dashboard.alert_mail_link.texts import TEXTS
from dashboard.status_link.views import PRIVATE
from service.api import EXCEPTION_HANDLERS
from service.api.auth import address_of
from service.api.dependencies import ServicesDep
from service.api.error_table import explained
from service.database import AlertAddress
from service.lib.languages import language_of, translated, use_language
from service.lib.tickets import BadTicket, ExpiredTicket
from service.monitoring.audit_log import AuditEntry, Target
from service.monitoring.owner_alerts import NoSuchAlertAddress
from service.monitoring.owner_alerts.links import PATH
from service.services import Services

logger = logging.getLogger("offload.dashboard")

ACTOR = "alert link"
"""Actor of what is done by a link: of the person behind it only the address is known."""


@get("/confirm/{ticket:str}")
async def ask_to_confirm(ticket: FromPath[str], request: Request[Any, Any, Any], services: ServicesDep) -> Template:
    """Ask whether to confirm."""
    row = await services.owner_alerts.linked(ticket, unsubscribe=False)
    return _page(request, row, "confirmed" if row.state == "confirmed" else "confirm")


@post("/confirm/{ticket:str}", status_code=200)
async def confirm(ticket: FromPath[str], request: Request[Any, Any, Any], services: ServicesDep) -> Template:
    """Confirm."""
    row = await services.owner_alerts.confirm(ticket)
    await _record(request, services, row, "alert-address.confirmed")
    return _page(request, row, "confirmed")


@get("/unsubscribe/{ticket:str}")
async def ask_to_unsubscribe(ticket: FromPath[str], request: Request[Any, Any, Any], services: ServicesDep) -> Template:
    """Ask whether to stop them."""
    row = await services.owner_alerts.linked(ticket, unsubscribe=True)
    return _page(request, row, "unsubscribed" if row.state == "unsubscribed" else "unsubscribe")


@post("/unsubscribe/{ticket:str}", status_code=200)
async def unsubscribe(ticket: FromPath[str], request: Request[Any, Any, Any], services: ServicesDep) -> Template:
    """Stop them."""
    row = await services.owner_alerts.unsubscribe(ticket)
    await _record(request, services, row, "alert-address.unsubscribed")
    return _page(request, row, "unsubscribed")


async def _record(request: Request[Any, Any, Any], services: Services, row: AlertAddress, action: str) -> None:
    entry = AuditEntry(
        actor=ACTOR,
        role="link",
        action=action,
        target=Target("alert-address", row.address_id),
        owner=row.owner,
        address=address_of(request.scope) or None,
    )
    await services.audit.record(entry)


def _language(request: Request[Any, Any, Any], row: AlertAddress | None = None) -> str:
    """The language that the page was asked in, else that of the address, else that of the browser."""
    wanted = request.query_params.get("lang", "") or (row.language if row else "")
    return use_language(language_of(request.headers.get("accept-language", ""), wanted)).language


def _page(request: Request[Any, Any, Any], row: AlertAddress, name: str) -> Template:
    language = _language(request, row)
    texts = translated(TEXTS, language)
    asks = f"{name}_ask" in texts
    values = {"owner": row.owner, "address": row.address}
    title = texts["confirm" if name.startswith("confirm") else "unsubscribe"]
    sentence = texts[f"{name}_ask" if asks else name].format(**values)
    return _rendered(language, 200, title=title, sentence=sentence, button=texts[f"{name}_button"] if asks else "")


def _rendered(language: str, status_code: int, **context: str) -> Template:
    return Template(
        template_name="alert_mail_link/page.html",
        context={"language": language, "texts": translated(TEXTS, language)} | context,
        status_code=status_code,
        headers=PRIVATE | {"Content-Language": language},
    )


def explain(request: Request[Any, Any, Any], error: Exception) -> Template:
    """A page with one sentence for whatever was raised."""
    match error:
        case ExpiredTicket():
            status_code, text = 410, "link_expired"
        case BadTicket():
            status_code, text = 404, "link_altered"
        case NoSuchAlertAddress():
            status_code, text = 410, "link_gone"
        case _:
            status_code = error.status_code if isinstance(error, HTTPException) else explained(error).status_code
            text = "link_altered" if status_code < 500 else "away" if status_code in (503, 507) else "broken"
    if status_code >= 500:
        # Without the address, which is the permission.
        logger.error("alert_mail_link.failed: %s", request.method, exc_info=error)
    language = _language(request)
    texts = translated(TEXTS, language)
    return _rendered(language, status_code, title=texts["link"], sentence=texts[text], button="")


def alert_mail_link_routes() -> Router:
    """The router of /alert-mails."""
    handled = (BadTicket, ExpiredTicket, NoSuchAlertAddress)
    return Router(
        PATH,
        route_handlers=[ask_to_confirm, confirm, ask_to_unsubscribe, unsubscribe],
        exception_handlers={**dict.fromkeys(EXCEPTION_HANDLERS, explain), **dict.fromkeys(handled, explain)},
        include_in_schema=False,
    )
