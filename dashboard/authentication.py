"""Authentication of the dashboard: a proxy's headers, HTTP basic for scripts, or a session for a browser that has signed in."""

import base64
import dataclasses
import hashlib
import hmac
import json
from dataclasses import dataclass
from typing import Any
from urllib.parse import quote

from litestar import Request, Response
from litestar.connection import ASGIConnection
from litestar.exceptions import NotAuthorizedException
from litestar.middleware import AbstractAuthenticationMiddleware, AuthenticationResult
from litestar.response import Redirect

from dashboard.auth import User, digest_of, known_user
from dashboard.preferences.choice import apply_choice
from dashboard.proxy_sign_in import user_of_proxy
from service.access.failed_attempts import Attempt, Kind
from service.access.sessions import digest
from service.api.auth import address_of
from service.database.dashboard_users import DashboardSession, DashboardUserRow
from service.lib.fair_turns import WHOSE
from service.services import Services
from settings.access import SignIn
from settings.credentials import Role

COOKIE = "offload_session"
SIGN_IN = "/admin/sign-in"
OIDC = "oidc"
"""Source of a session that an identity provider has vouched for."""

CHALLENGE = {"WWW-Authenticate": 'Basic realm="Offload", charset="UTF-8"'}
SENTENCE = "Sign in with a dashboard user's name and password."


class SignInFirst(Exception):
    """A browser asks for a page without a session: it is sent to the page that begins one."""


@dataclass(frozen=True)
class Authenticated:
    """A user, and the digest of the entry that its password was compared with: another entry ends its sessions."""

    user: User
    credential: str


class Authentication(AbstractAuthenticationMiddleware):
    """Admits a user. Raises 401, TooManyFailures (429) after too many wrong passwords, SignInFirst, or ProxyRefusal."""

    async def authenticate_request(self, connection: ASGIConnection[Any, Any, Any, Any]) -> AuthenticationResult:
        """As its base."""
        services: Services = connection.app.state.services
        # The sentence of a refusal is read too.
        apply_choice(connection)
        header, token = connection.headers.get("authorization", ""), connection.cookies.get(COOKIE, "")
        # Before all else: oauth2-proxy may send an Authorization of its own along.
        user = await user_of_proxy(services, connection)
        if user is None and header:
            name, password = credentials_of(header)
            found = await authenticate(services, name, password, address_of(connection.scope)) if password else None
            user = found.user if found else None
        elif user is None and token:
            user = await user_of_session(services, token, uses=_by_hand(connection))
        if user is None:
            raise await _refusal(services, connection, header, token)
        WHOSE.set(user.owner)
        apply_choice(connection, user)
        return AuthenticationResult(user=user, auth=None)


async def authenticate(services: Services, name: str, password: str, address: str) -> Authenticated | None:
    """The user with this name and password, of the environment or of the database. Raises TooManyFailures."""
    known = name in services.settings.dashboard_users or await services.users.find(name) is not None
    attempt = Attempt(Kind.PASSWORD, address, password, user=name, known=known)
    services.failed_attempts.check(attempt)
    user = known_user(services.settings.dashboard_users, name, password)
    found = Authenticated(user, declared_digest(services, user)) if user else None
    if found is None and name not in services.settings.dashboard_users:
        row = await services.users.verify(name, password)
        found = Authenticated(user_of_row(row), entry_digest(row)) if row else None
    if found is None:
        services.failed_attempts.failed(attempt)
    else:
        services.failed_attempts.succeeded(attempt)
    return found


async def user_of_session(services: Services, token: str, *, uses: bool) -> User | None:
    """The user of a session's cookie, with the role and the rights of this moment; None once the session has ended."""
    session = await services.sessions.find(token, uses=uses)
    if session is None:
        return None
    user, credential = await (_of_provider if session.source == OIDC else _entry)(services, session)
    if user is None or credential != session.credential:
        return None
    # Form tokens are bound to the session, and end with it.
    signing_key = hashlib.sha256(user.signing_key + token.encode()).digest()
    return dataclasses.replace(user, signing_key=signing_key, session=session.sha256)


async def _entry(services: Services, session: DashboardSession) -> tuple[User | None, str]:
    entry = services.settings.dashboard_users.get(session.name)
    if entry is not None:
        user = known_user({session.name: entry}, session.name, entry.password)
        return user, declared_digest(services, user) if user else ""
    row = await services.users.find(session.name)
    return (user_of_row(row), entry_digest(row)) if row else (None, "")


async def _of_provider(services: Services, session: DashboardSession) -> tuple[User | None, str]:
    """The user as the provider's groups made it at sign-in, while provider and roles are what they were."""
    key = hmac.new(services.settings.link_key, f"form token {OIDC} {session.name}".encode(), hashlib.sha256).digest()
    queues = tuple(json.loads(session.queues or "[]"))
    return User(session.name, Role(session.role), key, bool(session.personal), queues), provider_digest(services)


def provider_digest(services: Services) -> str:
    """Digest of the provider and the roles of its groups; empty without one. Another one ends the sessions."""
    settings = services.settings
    if settings.oidc_issuer is None:
        return ""
    roles = sorted(settings.oidc_roles.items(), key=lambda one: one[0])
    text = repr((settings.oidc_issuer, settings.oidc_client_id, roles, *settings.oidc_tenants))
    return hmac.new(settings.link_key, text.encode(), hashlib.sha256).hexdigest()


def user_of_row(row: DashboardUserRow) -> User:
    """The user that a row stands for."""
    key = digest_of(f"form token {row.password_hash}")
    return User(
        row.name,
        Role(row.role),
        key,
        row.personal,
        row.queue_names,
        language=row.language or "",
        zone=row.zone or "",
        stored=True,
    )


def entry_digest(row: DashboardUserRow) -> str:
    """Digest of a row's password: a session does not outlive it."""
    return digest(row.password_hash)


def declared_digest(services: Services, user: User) -> str:
    """The same of a password of the environment, under a key: a copy of the table is not to be tried against a dictionary."""
    return hmac.new(services.settings.link_key, user.signing_key, hashlib.sha256).hexdigest()


async def _refusal(
    services: Services, connection: ASGIConnection[Any, Any, Any, Any], header: str, token: str
) -> Exception:
    """401 with a challenge for scripts; the sign-in page for browsers, where it is used."""
    if header or not (token or await signs_in_by_page(services)):
        return NotAuthorizedException(SENTENCE, headers=CHALLENGE)
    if connection.headers.get("hx-request"):
        # A poll of a page whose session has ended: htmx has the browser go and sign in.
        return NotAuthorizedException("The session has ended.", headers={"HX-Redirect": SIGN_IN})
    if "text/html" in connection.headers.get("accept", "") and connection.scope.get("method") in ("GET", "HEAD"):
        return SignInFirst()
    return NotAuthorizedException("The session has ended." if token else SENTENCE)


async def signs_in_by_page(services: Services) -> bool:
    """True where browsers are sent to the sign-in page; else they are asked for HTTP basic."""
    match services.settings.sign_in:
        case SignIn.AUTO:
            return services.oidc is not None or await services.users.any()
        case chosen:
            return chosen is SignIn.PAGE


def to_sign_in(request: Request[Any, Any, Any], _: SignInFirst) -> Response[Any]:
    """The way to the sign-in page, and from there back."""
    goal = request.url.path + (f"?{request.url.query}" if request.url.query else "")
    return Redirect(f"{SIGN_IN}?next={quote(goal)}", status_code=303, headers={"Cache-Control": "no-store"})


def credentials_of(header: str) -> tuple[str, str]:
    """Name and password of a Basic header; empty where it is none."""
    scheme, _, value = header.partition(" ")
    if scheme.lower() != "basic":
        return "", ""
    try:
        name, _, password = base64.b64decode(value.strip(), validate=True).decode().partition(":")
    except ValueError:
        return "", ""
    return name, password


def _by_hand(connection: ASGIConnection[Any, Any, Any, Any]) -> bool:
    """False for what an open page asks for of itself: a page that was left open must not keep its session."""
    return not (connection.headers.get("hx-request") and connection.scope.get("method") == "GET")
