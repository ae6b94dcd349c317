"""/docs/errors: a page for each status code of an error, for who writes a client. No key and no login."""

from pathlib import Path
from typing import Any

import msgspec
from jinja2 import Environment
from litestar import Response, Router, get
from litestar.exceptions import NotFoundException
from litestar.params import FromPath

from service.api.error_guide import GUIDES, PATH

TEMPLATE = Path(__file__).with_name("error_docs.html")
HEADERS = {"Cache-Control": "public, max-age=3600"}

_PAGE = Environment(autoescape=True, trim_blocks=True, lstrip_blocks=True).from_string(
    TEMPLATE.read_text(encoding="utf-8")
)


@get("/", include_in_schema=False, sync_to_thread=False)
def list_errors() -> Response[str]:
    """Every status code of an error with its meaning."""
    return _page(guides=list(GUIDES.values()))


@get("/{status_code:int}", include_in_schema=False, sync_to_thread=False)
def explain_error(status_code: FromPath[int]) -> Response[str]:
    """Meaning of one status code, an example, and what a client does. Raises NotFoundException for others."""
    guide = GUIDES.get(status_code)
    if guide is None:
        raise NotFoundException
    example = msgspec.json.format(msgspec.json.encode(guide.example), indent=2).decode()
    return _page(guide=guide, example=example)


def _page(**values: Any) -> Response[str]:
    return Response(_PAGE.render(path=PATH, **values), media_type="text/html", headers=HEADERS)


routes = Router(PATH, route_handlers=[list_errors, explain_error])
