"""A POST is obeyed only when it comes from one of our own pages, opened by the same user."""

import hashlib
import hmac
import secrets
from typing import Any

from litestar import Request
from litestar.datastructures import Cookie
from litestar.exceptions import ClientException, PermissionDeniedException

from dashboard.audit_middleware import audit_form
from dashboard.auth import User, require_operator
from dashboard.queue_rights import require_queue
from service.lib.text import NUL

COOKIE = "offload_csrf"
FIELD = "csrf"
NONCE_BYTES = 18
SAFE_METHODS = frozenset({"GET", "HEAD", "OPTIONS"})

FOR_VIEWERS = "for_viewers"
"""Handler option of an action that every user may take, such as signing out."""

CHECKED_BY_HANDLER = "csrf_checked_by_handler"
"""Handler option: the body is streamed, so it cannot be parsed before the handler does it."""


def token_for(request: Request[User, Any, Any]) -> str:
    """The token that this browser already has, or a new one: several open pages share it."""
    cookie = request.cookies.get(COOKIE, "")
    if _belongs(cookie, request.user):
        return cookie
    nonce = secrets.token_urlsafe(NONCE_BYTES)
    return f"{nonce}.{_signature(nonce, request.user)}"


def cookie_of(request: Request[User, Any, Any], token: str) -> Cookie:
    # Lax, not Strict: a page opened by a link from elsewhere must still be sent the token it already has,
    # or opening it would make the forms of every other open page worthless.
    return Cookie(
        key=COOKIE, value=token, path="/admin", httponly=True, samesite="lax", secure=request.url.scheme == "https"
    )


async def guard(request: Request[User, Any, Any]) -> None:
    """Before every handler: a request that may change something is an operator's, and comes from one of our pages.

    Raises PermissionDeniedException (403), and 400 for a NUL in a form or an address. A handler that streams its form
    checks the token itself, and says so.
    """
    _refuse_nul(request.scope["path"], *(f"{name}{value}" for name, value in request.query_params.multi_items()))
    if request.method in SAFE_METHODS:
        return
    if not request.route_handler.opt.get(FOR_VIEWERS):
        require_operator(request)
        await require_queue(request)
    require_same_origin(request)
    if not request.route_handler.opt.get(CHECKED_BY_HANDLER):
        form = await request.form()
        _refuse_nul(*(f"{name}{value}" for name, value in form.multi_items()))
        require_token(request, form.get(FIELD))
        audit_form(request, {name: value for name, value in form.items() if name not in (FIELD, "password")})


def _refuse_nul(*texts: str) -> None:
    """Nothing that is kept or looked for may hold one: PostgreSQL has no place for it."""
    if any(NUL in text for text in texts):
        raise ClientException("What was sent holds a NUL character, which no text here can.")


def require_token(request: Request[User, Any, Any], given: object) -> None:
    """Raises PermissionDeniedException (403) unless `given` is this browser's token, made for this user."""
    cookie = request.cookies.get(COOKIE, "")
    if (
        not isinstance(given, str)
        or not hmac.compare_digest(given.encode(), cookie.encode())
        or not _belongs(given, request.user)
    ):
        raise PermissionDeniedException("This form has no valid token. Open the page again and repeat the action.")


def require_same_origin(request: Request[User, Any, Any]) -> None:
    """Raises PermissionDeniedException (403) for a request that the browser says another site has sent."""
    fetch_site = request.headers.get("sec-fetch-site", "none")
    origin = request.headers.get("origin")
    own = f"{request.url.scheme}://{request.headers.get('host', '')}"
    # Behind a proxy that ends TLS the scheme seen here differs from the browser's; the host must still be the same.
    other_origin = origin is not None and origin.partition("://")[2] != own.partition("://")[2]
    if fetch_site not in {"same-origin", "none"} or other_origin:
        raise PermissionDeniedException("This action was sent from another site, and nothing was changed.")


def _signature(nonce: str, user: User) -> str:
    return hmac.new(user.signing_key, f"{user.name}:{nonce}".encode(), hashlib.sha256).hexdigest()


def _belongs(token: str, user: User) -> bool:
    nonce, _, signature = token.partition(".")
    return hmac.compare_digest(signature.encode(), _signature(nonce, user).encode())
