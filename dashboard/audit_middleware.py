"""Every action at the dashboard is written to the audit log, refused ones too: no handler can forget it."""

import logging
import re
import time
from typing import Any

from litestar import Request
from litestar.enums import ScopeType
from litestar.middleware import ASGIMiddleware
from litestar.types import ASGIApp, Message, Receive, Scope, Send

from dashboard.auth import User
from dashboard.formats import compact
from service.monitoring.audit_log import DETAIL_MAX, AuditEntry, Target
from service.services import Services

logger = logging.getLogger("offload.dashboard")

ACTION = "audit_action"
"""Handler option, required of every POST: what the action is called in the log, such as job.retried."""

DETAIL = "audit_detail"
FORM = "audit_form"
OWNER = "audit_owner"

FIELD_NAME = re.compile(r"[a-z_-]{1,30}")
"""Names of fields that our own forms have; others are a stranger's text too."""


def audit_detail(request: Request[User, Any, Any], detail: str) -> None:
    """Say what the action was about, in the place of its form's fields: a filter with its count, a new job's id."""
    request.scope["state"][DETAIL] = detail


def audit_form(request: Request[User, Any, Any], form: dict[str, Any]) -> None:
    """Keep the form for an action that says nothing of its own: all of it where it is done, else the names of its fields.

    A handler that refuses has often not come to its `audit_detail` yet, and the log keeps for years, and shows to viewers, what it
    is given: an address, a text, a name of a document.
    """
    request.scope["state"][FORM] = form


def on_behalf(request: Request[User, Any, Any], owner: str) -> None:
    """Name the owner of the target where it is not a job: that owner may read the line."""
    request.scope["state"][OWNER] = owner


class Audited(ASGIMiddleware):
    """Writes the line as the answer begins, so that a client finds it once it has its answer."""

    scopes = (ScopeType.HTTP,)

    async def handle(self, scope: Scope, receive: Receive, send: Send, next_app: ASGIApp) -> None:
        if ACTION not in scope["route_handler"].opt:
            await next_app(scope, receive, send)
            return
        began = time.perf_counter()

        async def watched(message: Message) -> None:
            if message["type"] == "http.response.start":
                await _write(scope, message["status"], (time.perf_counter() - began) * 1000)
            await send(message)

        await next_app(scope, receive, watched)


async def _write(scope: Scope, status_code: int, took_ms: float) -> None:
    services: Services = scope["litestar_app"].state["services"]
    user: User = scope["user"]
    target = _target(scope)
    # What was done is done: a log that cannot be written must not tell the operator that it was not.
    client = scope.get("client")
    try:
        (job,) = await services.store.get_many([target.id]) if target.kind == "job" else [None]
        await services.audit.record(
            AuditEntry(
                actor=user.name,
                role=str(user.role),
                action=scope["route_handler"].opt[ACTION],
                target=target,
                detail="; ".join(filter(None, (user.source, _detail(scope["state"], status_code)))),
                owner=job.owner if job else scope["state"].get(OWNER, user.owner),
                outcome="done" if status_code < 400 else "refused" if status_code < 500 else "failed",
                address=client[0] if client else None,
                took_ms=took_ms,
            )
        )
    except Exception:
        logger.exception("audit.write_failed: %s %s", user.name, scope["path"])


def _detail(state: dict[str, Any], status_code: int) -> str:
    if DETAIL in state:
        return str(state[DETAIL])
    form = state.get(FORM, {})
    line = compact(form, DETAIL_MAX) if status_code < 400 else ", ".join(filter(FIELD_NAME.fullmatch, form))
    return line[:DETAIL_MAX]


def _target(scope: Scope) -> Target:
    """The thing in the address: its first parameter, else the noun the address ends in."""
    for name, value in scope["path_params"].items():
        # What may hold a slash comes with the one that stands before it.
        return Target(TARGETS.get(name, name), str(value).removeprefix("/"))
    return Target(scope["route_handler"].opt[ACTION].partition(".")[0], "")


TARGETS = {
    "job_id": "job",
    "file_id": "document",
    "template_id": "template",
    "operation_id": "operation",
    "fingerprint": "error",
    "worker_id": "worker",
    "type": "job type",
}
"""Parameters of addresses that are not called by what they name."""
