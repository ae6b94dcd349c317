"""HTTP basic for the dashboard: who is looking, and whether they may act."""

import base64
import binascii
import hashlib
import hmac
from dataclasses import dataclass, field
from typing import Any

from litestar import Request
from litestar.connection import ASGIConnection
from litestar.exceptions import NotAuthorizedException, PermissionDeniedException
from litestar.middleware import AbstractAuthenticationMiddleware, AuthenticationResult

from service.access.failed_attempts import Attempt, Kind
from service.api.auth import address_of
from service.lib.fair_turns import WHOSE
from service.services import Services
from settings.credentials import DashboardUser, Role

CHALLENGE = {"WWW-Authenticate": 'Basic realm="Offload", charset="UTF-8"'}


@dataclass(frozen=True)
class User:
    """A person at the dashboard. `signing_key` binds form tokens to the user and to the present password."""

    name: str
    role: Role
    signing_key: bytes = field(repr=False)

    @property
    def may_act(self) -> bool:
        return self.role is Role.OPERATOR

    @property
    def sees_personal(self) -> bool:
        """True where payloads, documents, files made of them and addresses are shown in full."""
        return self.may_act

    @property
    def owner(self) -> str:
        """Owner of the jobs and files that this user starts: no API key can be given to it by accident."""
        return f"dashboard:{self.name}"


class BasicAuth(AbstractAuthenticationMiddleware):
    """401 with a challenge unless the request carries the name and password of a dashboard user; 429 after too many wrong ones."""

    async def authenticate_request(self, connection: ASGIConnection[Any, Any, Any, Any]) -> AuthenticationResult:
        services: Services = connection.app.state.services
        users = services.settings.dashboard_users
        name, password = _credentials(connection.headers.get("authorization", ""))
        attempt = Attempt(Kind.PASSWORD, address_of(connection.scope), password, user=name, known=name in users)
        if password:
            services.failed_attempts.check(attempt)
        user = known_user(users, name, password)
        if user is None:
            if password:
                services.failed_attempts.failed(attempt)
            raise NotAuthorizedException("Sign in with a dashboard user's name and password.", headers=CHALLENGE)
        services.failed_attempts.succeeded(attempt)
        WHOSE.set(f"dashboard:{user.name}")
        return AuthenticationResult(user=user, auth=None)


def known_user(users: dict[str, DashboardUser], name: str, password: str) -> User | None:
    """The user with this name and password. Every entry is compared, so the time taken tells nothing about either."""
    found = None
    for known, entry in users.items():
        same_name = hmac.compare_digest(_digest(known), _digest(name))
        same_password = hmac.compare_digest(_digest(entry.password), _digest(password))
        if same_name & same_password:
            found = User(name=known, role=entry.role, signing_key=_digest(f"form token {entry.password}"))
    return found


def require_operator(request: Request[User, Any, Any]) -> None:
    """Raises PermissionDeniedException (403) for a viewer."""
    if not request.user.may_act:
        raise PermissionDeniedException(f"{request.user.name} is a viewer: only an operator may do this.")


PERSONAL = "personal"
"""Handler option: True where the whole answer is personal data, such as a document's bytes."""

PERSONAL_QUERY = "personal_query"
"""Handler option: names of query parameters that search personal data, and so tell by what is found."""


def require_personal(request: Request[User, Any, Any]) -> None:
    """Raises PermissionDeniedException (403) where the answer, or the thing searched for, is beyond the user's right."""
    if request.user.sees_personal:
        return
    options = request.route_handler.opt
    if options.get(PERSONAL) or any(request.query_params.get(name) for name in options.get(PERSONAL_QUERY, ())):
        raise PermissionDeniedException(f"{request.user.name} may not see personal data: names, documents, addresses.")


def _digest(text: str) -> bytes:
    return hashlib.sha256(text.encode()).digest()


def _credentials(header: str) -> tuple[str, str]:
    scheme, _, value = header.partition(" ")
    if scheme.lower() != "basic":
        return "", ""
    try:
        name, _, password = base64.b64decode(value.strip(), validate=True).decode().partition(":")
    except (binascii.Error, UnicodeDecodeError):
        return "", ""
    return name, password
