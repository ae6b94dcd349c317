"""Sign-ins that are under way at an identity provider: a signed cookie for ten minutes, and nothing on the server."""

import base64
import hashlib
import hmac
import json
import secrets
import time
from dataclasses import asdict, dataclass, field

LIFE_S = 600
"""Seconds that a person may take at the provider: a password, a second factor, a new phone."""

RANDOM_BYTES = 32

COOKIE_MAX = 4_096
"""Characters of a cookie that browsers keep."""


@dataclass(frozen=True)
class Pending:
    """Secrets of one sign-in, and the page that it leads to."""

    goal: str
    state: str = field(default_factory=lambda: secrets.token_urlsafe(RANDOM_BYTES), repr=False)
    nonce: str = field(default_factory=lambda: secrets.token_urlsafe(RANDOM_BYTES), repr=False)
    verifier: str = field(default_factory=lambda: secrets.token_urlsafe(RANDOM_BYTES), repr=False)
    expires_s: int = field(default_factory=lambda: int(time.time()) + LIFE_S)


def sealed(pending: Pending, secret: bytes) -> str:
    """The value of the cookie."""
    body = base64.urlsafe_b64encode(json.dumps(asdict(pending)).encode()).decode()
    return f"{body}.{_signature(body, secret)}"


def opened(cookie: str, secret: bytes) -> Pending | None:
    """The sign-in of a cookie; None for one that was altered, made elsewhere, or has expired."""
    body, _, signature = cookie.partition(".")
    if not hmac.compare_digest(signature.encode("utf-8", "surrogatepass"), _signature(body, secret).encode()):
        return None
    pending = Pending(**json.loads(base64.urlsafe_b64decode(body)))
    return pending if pending.expires_s > time.time() else None


def _signature(body: str, secret: bytes) -> str:
    # A key of its own, so that no signature of another purpose under the same secret can pass for one.
    key = hmac.new(secret, b"pending sign-in", hashlib.sha256).digest()
    return hmac.new(key, body.encode("utf-8", "surrogatepass"), hashlib.sha256).hexdigest()
