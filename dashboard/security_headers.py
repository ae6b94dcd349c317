"""Headers that tell the browser what it must not do."""

from litestar.datastructures import MutableScopeHeaders
from litestar.types import Message, Scope

CONTENT_POLICY = (
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self'; connect-src 'self'; "
    "form-action 'self'; base-uri 'none'; frame-ancestors 'none'"
)
"""No inline script or style, nothing from elsewhere, no frames: a hostile file name has nothing to run with."""

ALWAYS = {
    "X-Content-Type-Options": "nosniff",
    # With no-referrer a browser sends `Origin: null` on our own forms, and the origin check would refuse them.
    "Referrer-Policy": "same-origin",
    "Cross-Origin-Opener-Policy": "same-origin",
}


async def add_security_headers(message: Message, scope: Scope) -> None:
    """A before_send hook, so that errors and unknown addresses carry them too."""
    if message["type"] != "http.response.start":
        return
    headers = MutableScopeHeaders.from_message(message)
    for name, value in ALWAYS.items():
        headers.setdefault(name, value)
    if scope["path"].startswith(("/admin", "/static", "/j/")):
        headers.setdefault("Content-Security-Policy", CONTENT_POLICY)
