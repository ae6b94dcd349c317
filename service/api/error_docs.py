"""/docs/errors: a page for each status code of an error, for who writes a client. No key and no login."""

from pathlib import Path

import msgspec
from litestar import Response, Router, get
from litestar.exceptions import NotFoundException
from litestar.params import FromPath

from service.api.error_guide import GUIDES, PATH
from service.api.html_page import HtmlPage
from service.api.reader_language import ReadersLanguage
from service.api.schemas import ErrorBody, FieldError
from service.lib.sentences.recogniser import shown

TEMPLATE = Path(__file__).with_name("error_docs.html")
HEADERS = {"Cache-Control": "public, max-age=3600"}

_PAGE = HtmlPage(TEMPLATE)


@get("/", include_in_schema=False, sync_to_thread=False)
def list_errors() -> Response[str]:
    """Every status code of an error with its meaning."""
    return _PAGE.response(HEADERS, path=PATH, guide=None, guides=list(GUIDES.values()))


@get("/{status_code:int}", include_in_schema=False, sync_to_thread=False)
def explain_error(status_code: FromPath[int]) -> Response[str]:
    """Meaning of one status code, an example, and what a client does. Raises NotFoundException for others."""
    guide = GUIDES.get(status_code)
    if guide is None:
        raise NotFoundException
    example = msgspec.json.format(msgspec.json.encode(_as_sent(guide.example)), indent=2).decode()
    return _PAGE.response(HEADERS, path=PATH, guide=guide, example=example)


def _as_sent(body: ErrorBody) -> ErrorBody:
    """The body as this reader's client gets it."""
    errors = [FieldError(error.field, shown(error.message)) for error in body.errors]
    return ErrorBody(body.status_code, shown(body.detail), errors)


routes = Router(PATH, route_handlers=[list_errors, explain_error], middleware=[ReadersLanguage()])
