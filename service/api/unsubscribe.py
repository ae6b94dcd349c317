"""/unsubscribe/{token}: no key and no login, because a mail program or its reader comes here with the link alone."""

from pathlib import Path
from typing import Any

from litestar import Response, Router, get, post
from litestar.params import FromPath

from service.api.dependencies import ServicesDep
from service.api.html_page import HtmlPage
from service.api.reader_language import ReadersLanguage
from service.mail.unsubscribe import PATH, BadLink, Unsubscriptions
from service.mail.wiring import links
from service.services import Services

HEADERS = {"Cache-Control": "no-store", "Referrer-Policy": "no-referrer"}

_PAGE = HtmlPage(Path(__file__).with_name("unsubscribe.html"))


@get("/{token:str}", summary="Ask whether to unsubscribe", include_in_schema=False)
async def ask_to_unsubscribe(token: FromPath[str], services: ServicesDep) -> Response[str]:
    """Changes nothing: programs that look at links before a person does follow this one too."""
    return _PAGE.response(HEADERS, state="ask", email=await _unsubscriptions(services).email(token))


@post("/{token:str}", status_code=200, summary="Unsubscribe", include_in_schema=False)
async def unsubscribe(token: FromPath[str], services: ServicesDep) -> Response[str]:
    """One click (RFC 8058), or the button of the page above. The body says nothing that the link does not."""
    return _PAGE.response(HEADERS, state="done", email=await _unsubscriptions(services).unsubscribe(token))


def _unsubscriptions(services: Services) -> Unsubscriptions:
    return Unsubscriptions(services.database, links(services.settings))


def _bad_link(_: Any, error: BadLink) -> Response[str]:
    return _PAGE.response(HEADERS, 404, state="bad", why=str(error))


routes = Router(
    PATH,
    route_handlers=[ask_to_unsubscribe, unsubscribe],
    exception_handlers={BadLink: _bad_link},
    middleware=[ReadersLanguage()],
    tags=["mail"],
)
