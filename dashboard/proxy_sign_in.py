"""Users of the dashboard whom a proxy has signed in, and the page of those who may not come in."""

import hashlib
import hmac
from typing import Any

from litestar import Request, Response
from litestar.connection import ASGIConnection
from litestar.response import Template

from dashboard.auth import User
from service.access.failed_attempts import Attempt, Kind
from service.access.proxy_headers import PEER, BadHeaders, Person, Visitors, believed, person_of
from service.api.auth import address_of
from service.monitoring.audit_log import AuditEntry, Target
from service.services import Services
from settings.groups import Rights, rights_of

PROXY = "proxy"
"""Source of a user whom a proxy has signed in."""

VISITORS = "proxy_visitors"
"""Name in the application's state of those who were there lately."""


class ProxyRefusal(Exception):
    """A person whom the proxy names, and who may not come in. The message is a sentence."""

    def __init__(self, sentence: str, status_code: int) -> None:
        super().__init__(sentence)
        self.status_code = status_code


async def user_of_proxy(services: Services, connection: ASGIConnection[Any, Any, Any, Any]) -> User | None:
    """The user whom a believed proxy names; None where none does. Raises ProxyRefusal."""
    settings = services.settings
    if not settings.proxy_auth_from or not believed(connection.scope["state"].get(PEER), settings.proxy_auth_from):
        return None
    try:
        person = person_of(connection.scope["headers"], settings.proxy_auth_headers)
    except BadHeaders as error:
        raise _refused(services, connection, str(error), 400) from None
    if person is None:
        return None
    rights = await _rights(services, connection, person)
    key = hmac.new(settings.link_key, f"form token {PROXY} {person.name}".encode(), hashlib.sha256).digest()
    user = User(person.name, rights.role, key, rights.personal, rights.queues, source=PROXY)
    await _record_visit(services, connection, user, person)
    return user


async def _rights(services: Services, connection: ASGIConnection[Any, Any, Any, Any], person: Person) -> Rights:
    settings, name = services.settings, person.name
    if name in settings.dashboard_users or await services.users.find(name) is not None:
        sentence = f"{name} is also a dashboard user with a password, and two people of one name cannot be told apart."
        raise _refused(services, connection, f"{sentence} Ask {settings.oidc_contact}.", 403, name)
    rights = rights_of(person.groups, settings.proxy_auth_roles)
    if rights is None:
        groups = ", ".join(settings.proxy_auth_roles)
        sentence = f"{name} is in none of the groups that may sign in here: {groups}. Ask {settings.oidc_contact}."
        raise _refused(services, connection, sentence, 403, name)
    return rights


def _refused(
    services: Services, connection: ASGIConnection[Any, Any, Any, Any], sentence: str, status_code: int, name: str = ""
) -> ProxyRefusal:
    """The refusal, which is counted and traced once a visit: an open page asks every few seconds."""
    address, visitors = address_of(connection.scope), _visitors(connection)
    if visitors.comes("refused", name, address, sentence):
        reason = f"{PROXY}: {sentence}"
        services.failed_attempts.refused(Attempt(Kind.PROXY, address, name, name, known=bool(name), reason=reason))
    return ProxyRefusal(sentence, status_code)


async def _record_visit(
    services: Services, connection: ASGIConnection[Any, Any, Any, Any], user: User, person: Person
) -> None:
    address = address_of(connection.scope)
    if not _visitors(connection).comes("admitted", user.name, str(user.role), address):
        return
    line = AuditEntry(
        actor=user.name,
        role=str(user.role),
        action="session.begun",
        target=Target("user", user.name),
        owner=user.owner,
        detail=f"{PROXY}; email {person.email[:200]}" if person.email else PROXY,
        address=address or None,
    )
    # Later, as a page that only reads must not wait for the database, nor fail while it is away.
    services.audit.later(line)


def _visitors(connection: ASGIConnection[Any, Any, Any, Any]) -> Visitors:
    visitors: Visitors = connection.app.state[VISITORS]
    return visitors


def refusal_page(request: Request[Any, Any, Any], error: ProxyRefusal) -> Response[Any]:
    """The sentence, as a page where a browser asks for one."""
    if "text/html" in request.headers.get("accept", "") and not request.headers.get("hx-request"):
        return Template(
            template_name="sign_in/refused.html", context={"sentence": str(error)}, status_code=error.status_code
        )
    return Response(str(error), status_code=error.status_code, media_type="text/plain")
