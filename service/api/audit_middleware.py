"""Every change that is made with an API key is written to the audit log: no handler can forget it."""

import asyncio
import json

import structlog
from litestar.enums import ScopeType
from litestar.middleware import ASGIMiddleware
from litestar.types import ASGIApp, Message, Receive, Scope, Send

from service.lib.user_agent import terminal_user
from service.monitoring.audit_log import AuditEntry, Target
from service.services import Services

log = structlog.get_logger("offload.audit")

AUDIT = "audit"
"""Handler option, required of every route that changes something: what the change is called, such as file.deleted."""

BY_HANDLER = "by-handler"
"""Its value where the handler writes the line itself, because the name depends on what was asked."""

NOTHING = "nothing"
"""Its value where nothing is kept or changed."""

QUEUED = "job.queued"

READING = frozenset({"GET", "HEAD", "OPTIONS"})

BODY_MAX_BYTES = 1 << 20
"""Of an answer that is looked through for the id of what was made."""


class Audited(ASGIMiddleware):
    """Writes the line before the answer goes out, so that a client that has been answered finds it.

    Only lines of queued jobs follow within a moment and together: a job has a record of its own, and no client should wait for
    the database to queue one.
    """

    scopes = (ScopeType.HTTP,)

    async def handle(self, scope: Scope, receive: Receive, send: Send, next_app: ASGIApp) -> None:
        """Hold the answer's head back until its body, which names what was made, is there."""
        method = str(scope.get("method"))
        action = scope["route_handler"].opt.get(AUDIT, "")
        if method in READING or action in (BY_HANDLER, NOTHING):
            await next_app(scope, receive, send)
            return
        held: list[Message] = []

        async def watched(message: Message) -> None:
            if message["type"] == "http.response.start" and message["status"] < 400:
                held.append(message)
                return
            if held and message["type"] == "http.response.body":
                await _write(scope, action, message["body"])
                await send(held.pop())
            await send(message)

        await next_app(scope, receive, watched)


async def _write(scope: Scope, action: str, body: bytes) -> None:
    services: Services = scope["litestar_app"].state["services"]
    owner = scope["state"].get("owner")
    if owner is None:
        return
    noun = scope["path"].split("/")[2]
    action = action or f"{noun}.{str(scope.get('method')).lower()}"
    headers = dict(scope["headers"])
    user = terminal_user(headers.get(b"user-agent", b"").decode("latin-1"))
    client = scope.get("client")
    target, detail = _target(scope, action, body)
    # What was done is done: a log that cannot be written must not tell the client that it was not.
    try:
        entry = AuditEntry(
            actor=f"cli:{user}" if user else owner,
            role="owner",
            action=action,
            target=target,
            owner=owner,
            detail=detail,
            address=client[0] if client else None,
        )
        if action == QUEUED:
            services.audit.later(entry)
        else:
            await asyncio.shield(services.audit.record(entry))
    except Exception:
        log.exception("audit.write_failed", action=action, target=target.id, owner=owner)


def _target(scope: Scope, action: str, body: bytes) -> tuple[Target, str]:
    """The thing in the address, or the one that the answer names; and how many there are where it names many."""
    kind = action.partition(".")[0]
    for value in scope["path_params"].values():
        return Target(kind, str(value)), ""
    try:
        found = json.loads(body) if len(body) <= BODY_MAX_BYTES else {}
    except ValueError:
        found = {}
    if isinstance(found.get("jobs"), list):
        ids = [job["job_id"] for job in found["jobs"] if isinstance(job, dict) and "job_id" in job]
        return Target(kind, ids[0] if ids else ""), f"{len(ids)} jobs: {', '.join(ids[:50])}"
    own = (f"{kind}_id", "file_id", "job_id")
    return Target(kind, next((str(found[name]) for name in own if found.get(name)), "")), ""
