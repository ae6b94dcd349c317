"""The stylesheets, scripts and icons of static/, and htmx out of its package. Addresses carry their content's hash."""

import hashlib
from functools import cache
from importlib.resources import files
from pathlib import Path

from litestar import Router
from litestar.datastructures import CacheControlHeader
from litestar.static_files import create_static_files_router

OWN = Path(__file__).resolve().parent.parent / "static"
VENDOR = Path(str(files("js_lib_htmx"))) / "static" / "htmx"

A_YEAR = CacheControlHeader(max_age=31_536_000, public=True, immutable=True)
"""An address with a hash never changes its content, so a browser need not ask twice."""


def static_routes() -> list[Router]:
    return [
        create_static_files_router(path="/static/vendor", directories=[VENDOR], cache_control=A_YEAR, name="vendor"),
        create_static_files_router(path="/static", directories=[OWN], cache_control=A_YEAR, name="static"),
    ]


@cache
def asset(name: str) -> str:
    """The address of `app.css` or `vendor/htmx.min.js`; raises FileNotFoundError for one that does not exist."""
    file = VENDOR / name.removeprefix("vendor/") if name.startswith("vendor/") else OWN / name
    return f"/static/{name}?v={hashlib.sha256(file.read_bytes()).hexdigest()[:12]}"
