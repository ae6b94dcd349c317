"""/unsubscribe/{token}: no key and no login, because a mail program or its reader comes here with the link alone."""

from pathlib import Path
from typing import Any

from jinja2 import Environment
from litestar import Response, Router, get, post
from litestar.params import FromPath

from service.api.dependencies import ServicesDep
from service.mail.unsubscribe import PATH, BadLink, Unsubscriptions
from service.mail.wiring import links
from service.services import Services

_PAGE = Environment(autoescape=True, trim_blocks=True, lstrip_blocks=True).from_string(
    Path(__file__).with_name("unsubscribe.html").read_text(encoding="utf-8")
)


@get("/{token:str}", summary="Ask whether to unsubscribe", include_in_schema=False)
async def ask_to_unsubscribe(token: FromPath[str], services: ServicesDep) -> Response[str]:
    """Changes nothing: programs that look at links before a person does follow this one too."""
    email = await _unsubscriptions(services).email(token)
    return _page(title="Unsubscribe", ask=True, email=email or "you")


@post("/{token:str}", status_code=200, summary="Unsubscribe", include_in_schema=False)
async def unsubscribe(token: FromPath[str], services: ServicesDep) -> Response[str]:
    """One click (RFC 8058), or the button of the page above. The body says nothing that the link does not."""
    email = await _unsubscriptions(services).unsubscribe(token)
    return _page(title="Unsubscribed", sentence=f"No more messages will be sent to {email or 'you'}.")


def _unsubscriptions(services: Services) -> Unsubscriptions:
    return Unsubscriptions(services.database, links(services.settings))


def _page(status_code: int = 200, **values: Any) -> Response[str]:
    headers = {"Cache-Control": "no-store", "Referrer-Policy": "no-referrer"}
    return Response(_PAGE.render(values), status_code=status_code, media_type="text/html", headers=headers)


def _bad_link(_: Any, error: BadLink) -> Response[str]:
    return _page(404, title="Not found", sentence=str(error))


routes = Router(
    PATH, route_handlers=[ask_to_unsubscribe, unsubscribe], exception_handlers={BadLink: _bad_link}, tags=["mail"]
)
