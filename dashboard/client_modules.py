"""/static/client/: the JavaScript client and `<offload-progress>` for pages of any website, without a build step."""

import hashlib
from functools import cache
from typing import Any

from litestar import Request, Response, get
from litestar.exceptions import NotFoundException
from litestar.params import FromPath

from dashboard.assets import OWN
from service.api.downloads import matches

FOLDER = OWN / "client"
"""Modules compiled from clients/js/src by `npm run build`."""

HEADERS = {
    # The modules import each other by plain names: kept without asking, those of two releases would meet in one page.
    "Cache-Control": "no-cache",
    # Pages load modules of another website only with this; there is nothing secret in them.
    "Access-Control-Allow-Origin": "*",
    "Cross-Origin-Resource-Policy": "cross-origin",
}


@cache
def modules() -> dict[str, tuple[bytes, str]]:
    """Content and ETag of each module by name. Only these are served, whatever a path names."""
    contents = {file.name: file.read_bytes() for file in FOLDER.glob("*.js")}
    return {name: (content, hashlib.sha256(content).hexdigest()[:16]) for name, content in contents.items()}


@get("/static/client/{name:str}", include_in_schema=False)
async def client_module(name: FromPath[str], request: Request[Any, Any, Any]) -> Response[bytes]:
    """The module, or 304 for a browser that has it."""
    if name not in modules():
        raise NotFoundException(f"There is no {name[:100]} here.")
    content, etag = modules()[name]
    headers = HEADERS | {"ETag": f'"{etag}"'}
    if matches(request.headers.get("if-none-match"), etag):
        return Response(b"", status_code=304, headers=headers, media_type="text/javascript")
    return Response(content, headers=headers, media_type="text/javascript")
