"""Authentication and rights of API calls: API keys from the environment or the database, and tickets for one job.

`Authorization: Bearer <key or ticket>`, or `?ticket=` where a browser can set no header. A key belongs to an owner, who
sees only its own files and jobs. Routes declare in `opt` which scope they need and whether a ticket suffices.
"""

import hashlib
import hmac
import time
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from litestar import WebSocket
from litestar.connection import ASGIConnection
from litestar.di import NamedDependency
from litestar.exceptions import NotAuthorizedException, PermissionDeniedException, WebSocketException
from litestar.handlers import BaseRouteHandler
from litestar.types import Scope as ConnectionScope
from redis.exceptions import RedisError

from service.access.failed_attempts import Attempt, Kind, TooManyFailures
from service.database.api_keys import Scope
from service.engine.plans import over_requests, requests_of
from service.engine.store import NoSuchJob
from service.lib.fair_turns import WHOSE
from service.lib.text import as_sentence
from service.lib.tickets import PREFIX as TICKET_PREFIX
from service.lib.tickets import BadTicket
from service.services import Services

CHALLENGE = {"WWW-Authenticate": 'Bearer realm="offload"'}
SENTENCE = "Send a valid API key as `Authorization: Bearer <key>`."
TICKET_ONLY = "`?token=` and `?ticket=` take a ticket of POST /api/jobs/{id}/ticket, never an API key."

WS_UNAUTHORIZED = 4401
"""Close code of a socket without a valid key, after HTTP's 401; before the handshake it becomes an HTTP 403."""

WS_NOT_FOUND = 4404
"""Close code where there is no such job, or not any more; after HTTP's 404."""

WS_TOO_MANY = 4429
"""Close code over the owner's requests a minute, and after too many wrong keys from an address; after HTTP's 429."""

READING = frozenset({"GET", "HEAD"})


@dataclass(frozen=True)
class Caller:
    """An authenticated caller with its rights. `job_types` empty means all; `job_id` is set for a ticket."""

    owner: str
    secret: str = field(repr=False)
    key_id: str | None = None
    """Of a key in the database; None for one of the environment and for a ticket."""
    scopes: frozenset[str] = frozenset(Scope)
    job_types: frozenset[str] = frozenset()
    job_id: str | None = None
    file: str = ""
    expires_s: int | None = None

    def may_meet(self, job_type: str) -> bool:
        """True where the key is for jobs of this type: it queues and sees no others."""
        return not self.job_types or job_type in self.job_types

    async def still_valid(self, services: Services) -> bool:
        """False once the key was revoked or the key or ticket has expired."""
        if self.expires_s is not None and self.expires_s <= time.time():
            return False
        return self.key_id is None or await services.api_keys.find(self.secret) is not None


def owner_of(keys: Mapping[str, str], secret: str) -> str | None:
    """The owner of an API key of the environment. Compares every key's digest, so the time taken reveals nothing."""
    given, owner = _digest(secret), None
    for known, name in keys.items():
        if hmac.compare_digest(_digest(known), given):
            owner = name
    return owner


async def authenticate(services: Services, secret: str) -> Caller | None:
    """The caller behind an API key; None for an unknown, expired or revoked one."""
    if owner := owner_of(services.settings.api_keys, secret):
        return Caller(owner, secret)
    key = await services.api_keys.find(secret)
    if key is None:
        return None
    expires_s = int(key.expires_at.timestamp()) if key.expires_at else None
    return Caller(key.owner, secret, key.key_id, key.scope_set, key.type_set, expires_s=expires_s)


async def admit_ticket(services: Services, text: str, job_id: str | None) -> Caller:
    """The caller behind a ticket for the job `job_id`. Raises BadTicket; NoSuchJob for another job than the ticket's."""
    ticket = services.tickets.read(text)
    job = await services.store.get(ticket.job_id)
    if job is None or ticket.job_id != job_id:
        raise NoSuchJob((job_id or "")[:120])
    # Of what is personal a ticket is issued only by a key that may read it.
    rights = frozenset({Scope.READ.value, Scope.PERSONAL.value})
    return Caller(job.owner, text, None, rights, frozenset(), ticket.job_id, ticket.file, ticket.expires_s)


async def require_key(connection: ASGIConnection[Any, Any, Any, Any], handler: BaseRouteHandler) -> None:
    """A guard: admits a caller with the route's scope and notes it. Raises 401, 403 or TooManyFailures (429), or closes a
    socket with the code after it.
    """
    services: Services = connection.app.state.services
    in_address = connection.query_params.get("ticket") or connection.query_params.get("token") or ""
    secret = bearer(connection.headers.get("authorization", "")) or in_address
    kind = Kind.TICKET if secret.startswith(TICKET_PREFIX) else Kind.API_KEY
    attempt = Attempt(kind, address_of(connection.scope), secret)
    try:
        if not secret:
            raise BadTicket(SENTENCE)
        services.failed_attempts.check(attempt)
        caller = await _admit(connection, handler, secret, in_address)
        services.failed_attempts.succeeded(attempt)
        _check_rights(connection, handler, caller)
    except TooManyFailures as error:
        if isinstance(connection, WebSocket):
            raise WebSocketException(detail=str(error), code=WS_TOO_MANY) from None
        raise
    except BadTicket as error:
        if secret:
            services.failed_attempts.failed(attempt)
        raise unauthorized(connection, str(error)) from None
    except NoSuchJob as error:
        if isinstance(connection, WebSocket):
            raise WebSocketException(detail=str(error), code=WS_NOT_FOUND) from None
        raise
    await _count_request(connection, services, caller.owner)
    connection.scope["state"]["caller"] = caller
    connection.scope["state"]["owner"] = caller.owner
    WHOSE.set(caller.owner)


async def _count_request(connection: ASGIConnection[Any, Any, Any, Any], services: Services, owner: str) -> None:
    """Take one of the owner's requests a minute, where its plan bounds them. Raises OverLimit, or closes a socket."""
    limits = await services.owners.limits(owner)
    allowance = requests_of(owner, limits)
    if allowance is None:
        return
    try:
        wait_ms = await allowance.take(services.redis)
    except (RedisError, OSError):
        # What needs the queue server fails for itself; all else is not to fail with it.
        return
    if wait_ms:
        refusal = over_requests(limits, wait_ms)
        if isinstance(connection, WebSocket):
            raise WebSocketException(detail=as_sentence(str(refusal)), code=WS_TOO_MANY)
        raise refusal


async def _admit(
    connection: ASGIConnection[Any, Any, Any, Any], handler: BaseRouteHandler, secret: str, in_address: str
) -> Caller:
    """The caller behind a key or a ticket. Raises BadTicket for neither, 403 or NoSuchJob for a ticket of something else."""
    services: Services = connection.app.state.services
    if secret.startswith(TICKET_PREFIX):
        if not handler.opt.get("ticket"):
            raise PermissionDeniedException("A ticket reads status, events and files of its own job, and no more.")
        caller = await admit_ticket(services, secret, connection.path_params.get("job_id"))
        if caller.file and connection.path_params.get("name") != caller.file:
            raise PermissionDeniedException(f"This link is for {caller.file} alone.")
        return caller
    if secret == in_address:
        raise BadTicket(TICKET_ONLY)
    found = await authenticate(services, secret)
    if found is None:
        raise BadTicket(SENTENCE)
    return found


def unauthorized(connection: ASGIConnection[Any, Any, Any, Any], sentence: str) -> Exception:
    """The error to raise where there is no valid credential: 401, or 4401 of a socket."""
    if isinstance(connection, WebSocket):
        return WebSocketException(detail=sentence, code=WS_UNAUTHORIZED)
    return NotAuthorizedException(sentence, headers=CHALLENGE)


def _check_rights(connection: ASGIConnection[Any, Any, Any, Any], handler: BaseRouteHandler, caller: Caller) -> None:
    """Hold the key's scopes and job types against what the route does. Raises 403, or NoSuchJob for another type's job."""
    reads = isinstance(connection, WebSocket) or connection.scope.get("method") in READING
    needed = handler.opt.get("scope", Scope.READ if reads else Scope.SUBMIT)
    if needed not in caller.scopes:
        raise PermissionDeniedException(f"This API key may not do that: it lacks the scope {needed}.")
    if not caller.job_types:
        return
    require_type(caller, handler.opt.get("job_type"))
    job_id = connection.path_params.get("job_id")
    if job_id and not job_id.startswith(tuple(f"{name}-" for name in caller.job_types)):
        raise NoSuchJob(job_id[:120])


def require_type(caller: Caller, job_type: str | None) -> None:
    """Raise 403 where the key is for other job types than the one that would be queued."""
    if job_type and not caller.may_meet(job_type):
        raise PermissionDeniedException(
            f"This API key may not queue {job_type}: {', '.join(sorted(caller.job_types))} only."
        )


def require_personal(caller: Caller) -> None:
    """Raise 403 unless the caller may read personal data."""
    if Scope.PERSONAL not in caller.scopes:
        raise PermissionDeniedException("This API key may not read recipients: it lacks the scope personal.")


def provide_owner(scope: ConnectionScope, services: NamedDependency[Services]) -> str:
    """The owner that `require_key` found; a route without that guard has none and fails.

    `services` only says that they come first: for two dependencies of which none needs the other Litestar starts a task group
    and two tasks, a tenth of what a request takes.
    """
    return str(scope["state"]["owner"])


def provide_caller(scope: ConnectionScope, services: NamedDependency[Services]) -> Caller:
    """The caller that `require_key` found; `services` as for `provide_owner`."""
    caller: Caller = scope["state"]["caller"]
    return caller


def address_of(scope: ConnectionScope) -> str:
    """Address of the client; empty where it came by a Unix socket."""
    client = scope.get("client")
    return client[0] if client else ""


def bearer(header: str) -> str:
    """The secret of an Authorization header; empty for another scheme."""
    scheme, _, secret = header.partition(" ")
    return secret.strip() if scheme.lower() == "bearer" else ""


def _digest(text: str) -> bytes:
    return hashlib.sha256(text.encode("utf-8", "surrogatepass")).digest()
