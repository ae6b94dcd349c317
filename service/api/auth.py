"""Who is calling: `Authorization: Bearer <secret>`. A key belongs to an owner, who sees only what is its own."""

import hashlib
import hmac
from collections.abc import Mapping
from typing import Any

from litestar import WebSocket
from litestar.connection import ASGIConnection
from litestar.exceptions import NotAuthorizedException, WebSocketException
from litestar.handlers import BaseRouteHandler
from litestar.types import Scope

CHALLENGE = {"WWW-Authenticate": 'Bearer realm="offload"'}
SENTENCE = "Send a valid API key as `Authorization: Bearer <key>`."

WS_UNAUTHORIZED = 4401
"""Close code of a socket without a valid key, after HTTP's 401; before the handshake it becomes an HTTP 403."""


def owner_of(keys: Mapping[str, str], secret: str) -> str | None:
    """The owner of an API key. Every key's digest is compared, so the time taken tells nothing about any of them."""
    given, owner = _digest(secret), None
    for known, name in keys.items():
        if hmac.compare_digest(_digest(known), given):
            owner = name
    return owner


def require_key(connection: ASGIConnection[Any, Any, Any, Any], _: BaseRouteHandler) -> None:
    """A guard: lets in who carries a valid key, and notes the owner. Raises 401, or closes a socket with 4401."""
    secret = _bearer(connection.headers.get("authorization", ""))
    if isinstance(connection, WebSocket) and not secret:
        # A browser cannot set a header on a WebSocket.
        secret = connection.query_params.get("token", "")
    owner = owner_of(connection.app.state.services.settings.api_keys, secret) if secret else None
    if owner is None:
        if isinstance(connection, WebSocket):
            raise WebSocketException(detail=SENTENCE, code=WS_UNAUTHORIZED)
        raise NotAuthorizedException(SENTENCE, headers=CHALLENGE)
    connection.scope["state"]["owner"] = owner


def provide_owner(scope: Scope) -> str:
    """The owner that `require_key` found; a route without that guard has none and fails."""
    return str(scope["state"]["owner"])


def _bearer(header: str) -> str:
    scheme, _, secret = header.partition(" ")
    return secret.strip() if scheme.lower() == "bearer" else ""


def _digest(text: str) -> bytes:
    return hashlib.sha256(text.encode("utf-8", "surrogatepass")).digest()
