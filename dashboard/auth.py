"""Users of the dashboard, and guards of what they may see and do."""

import hashlib
import hmac
from dataclasses import dataclass, field
from typing import Any

from litestar import Request
from litestar.exceptions import PermissionDeniedException

from settings.credentials import DashboardUser, Role


@dataclass(frozen=True)
class User:
    """A user of the dashboard. `signing_key` binds form tokens to the user and to the present password or session."""

    name: str
    role: Role
    signing_key: bytes = field(repr=False)
    personal: bool | None = None
    """Right to see personal data; None for that of the role."""
    queues: tuple[str, ...] = ()
    """Queues in which an operator acts; empty for all, and for all that belongs to no queue."""
    session: str | None = None
    """Digest of the session's cookie; None for HTTP basic."""
    language: str = ""
    """Code of the language in which the user reads; empty for what the browser asks for."""
    zone: str = ""
    """IANA name of the zone in which the user reads times; empty for the browser's."""
    stored: bool = False
    """True for a row of the database: it keeps the user's choices. Those of others are in cookies."""
    source: str = ""
    """`proxy` for a user whom a proxy has signed in; what it does bears the word in the audit log."""

    @property
    def may_act(self) -> bool:
        return self.role is Role.OPERATOR

    def may_act_in(self, queue: str) -> bool:
        """True where the user may act on jobs and workers of this queue."""
        return self.may_act and (not self.queues or queue in self.queues)

    @property
    def sees_personal(self) -> bool:
        """True where payloads, documents, files made of them and addresses are shown in full."""
        return self.may_act if self.personal is None else self.personal

    @property
    def owner(self) -> str:
        """Owner of the jobs and files that this user starts: no API key can be given to it by accident."""
        return f"dashboard:{self.name}"


def known_user(users: dict[str, DashboardUser], name: str, password: str) -> User | None:
    """The user with this name and password. Every entry is compared, so the time taken tells nothing about either."""
    found = None
    for known, entry in users.items():
        same_name = hmac.compare_digest(digest_of(known), digest_of(name))
        same_password = hmac.compare_digest(digest_of(entry.password), digest_of(password))
        if same_name & same_password:
            found = User(name=known, role=entry.role, signing_key=digest_of(f"form token {entry.password}"))
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


def digest_of(text: str) -> bytes:
    """SHA-256 of a text."""
    return hashlib.sha256(text.encode()).digest()
