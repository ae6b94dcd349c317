"""Headers that tell the browser, and caches on the way, what they must not do."""

import base64
import hashlib
import re
from pathlib import Path

from litestar.types import Message, Scope

from service.api.error_docs import TEMPLATE as ERROR_GUIDE
from service.api.error_guide import PATH
from service.api.reference import TEMPLATE as REFERENCE

CONTENT_POLICY = (
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self'; connect-src 'self'; "
    "form-action 'self'; base-uri 'none'; frame-ancestors 'none'"
)
"""No inline script or style, nothing from elsewhere, no frames: a hostile file name has nothing to run with."""


def _styled(template: Path) -> str:
    """Policy of a page that carries its style within it, so that it needs no other file."""
    styles = re.findall(r"<style>(.*?)</style>", template.read_text(encoding="utf-8"), re.DOTALL)
    hashes = " ".join(f"'sha256-{base64.b64encode(hashlib.sha256(one.encode()).digest()).decode()}'" for one in styles)
    return f"default-src 'none'; style-src {hashes}; base-uri 'none'; form-action 'none'; frame-ancestors 'none'"


POLICIES = {
    "/admin": CONTENT_POLICY,
    "/static": CONTENT_POLICY,
    "/j/": CONTENT_POLICY,
    "/c/": CONTENT_POLICY,
    "/alert-mails/": CONTENT_POLICY,
    "/schema": _styled(REFERENCE),
    PATH: _styled(ERROR_GUIDE),
    "/unsubscribe": "default-src 'none'; base-uri 'none'; form-action 'self'; frame-ancestors 'none'",
}
"""By the beginning of the path. Everything else is data, and a browser is to do nothing with it."""

DATA_POLICY = "default-src 'none'; frame-ancestors 'none'; sandbox"

CACHED = ("/static", "/schema", PATH)
"""Paths whose answers hold nothing of anyone: what caches do with them is left to their own headers."""

ALWAYS = {
    "X-Content-Type-Options": "nosniff",
    # With no-referrer a browser sends `Origin: null` on our own forms, and the origin check would refuse them.
    "Referrer-Policy": "same-origin",
    "Cross-Origin-Opener-Policy": "same-origin",
}


def _headers(policy: str, *, cached: bool) -> list[tuple[bytes, bytes]]:
    """The headers of a kind of answer as they are sent: put together once, and not with each answer."""
    # The next user of the same computer must not find it under "back", or in a proxy.
    kept = {} if cached else {"Cache-Control": "no-store"}
    named = {**ALWAYS, "Content-Security-Policy": policy, **kept}
    return [(name.lower().encode(), value.encode()) for name, value in named.items()]


HEADERS = {start: _headers(policy, cached=start in CACHED) for start, policy in POLICIES.items()}
DATA_HEADERS = _headers(DATA_POLICY, cached=False)


async def add_security_headers(message: Message, scope: Scope) -> None:
    """A before_send hook, so that errors and unknown addresses carry them too."""
    if message["type"] != "http.response.start":
        return
    path = scope["path"]
    wanted = next((headers for start, headers in HEADERS.items() if path.startswith(start)), DATA_HEADERS)
    headers = list(message["headers"])
    present = {name.lower() for name, _ in headers}
    message["headers"] = headers + [header for header in wanted if header[0] not in present]
