"""Undo of deletions and of operations on many jobs: what can be taken back is named on every page, for as long as it can be, to
the operator who did it.

The browser remembers which jobs and operations it were, in a cookie each; whether they can be taken back is read each time.
"""

import contextlib
import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from litestar import Request
from litestar.datastructures import Cookie

from dashboard.auth import User
from service.engine.store.bulk_operations import KEEP_S, Operation
from service.engine.store.errors import StoreError
from service.engine.store.retention import BIN_S
from service.engine.store.undo import undo_id
from service.services import Services

COOKIE = "offload_undo"
OPERATIONS_COOKIE = "offload_undo_many"
SHOWN = 3
"""Jobs, and operations, that are named at once; of more, the latest."""

NAMEABLE = re.compile(r"[\w-]{1,100}")
"""Ids that a cookie can hold. A job that came from elsewhere may have another: its own page restores it all the same."""


@dataclass(frozen=True)
class Undoable:
    """A deleted job, and until when (ms since the epoch) it can be restored."""

    job_id: str
    until_ms: int


@dataclass(frozen=True)
class UndoableOperation:
    """An operation of which jobs can be changed back, how many, and until when (ms since the epoch)."""

    operation: Operation
    jobs: int
    until_ms: int


def remember(request: Request[User, Any, Any], job_id: str) -> list[Cookie]:
    """The cookie that names a job that has just been deleted, with those before it."""
    return _remembering(request, COOKIE, job_id)


def remember_operation(request: Request[User, Any, Any], operation_id: str) -> list[Cookie]:
    """The cookie that names an operation that has just begun, with those before it; none for one that cannot be undone."""
    return _remembering(request, OPERATIONS_COOKIE, operation_id) if undo_id(operation_id) else []


def _remembering(request: Request[User, Any, Any], cookie: str, key: str) -> list[Cookie]:
    if not NAMEABLE.fullmatch(key):
        return []
    before = [one for one in _named(request, cookie) if one != key]
    value = ".".join([*before, key][-SHOWN:])
    secure = request.url.scheme == "https"
    # An operation may take long, and its last job can be restored for as long as the bin keeps it.
    age_s = BIN_S if cookie == COOKIE else KEEP_S
    return [Cookie(key=cookie, value=value, path="/admin", max_age=age_s, httponly=True, samesite="lax", secure=secure)]


async def undoable(request: Request[User, Any, Any], services: Services) -> Sequence[Undoable]:
    """The jobs that this browser has deleted and that are still in the bin, latest first."""
    named = _named(request, COOKIE) if request.user.may_act else []
    jobs = await services.store.get_many(named) if named else []
    return [Undoable(job.id, job.deleted_ms + BIN_S * 1000) for job in reversed(jobs) if job and job.deleted_ms]


async def undoable_operations(request: Request[User, Any, Any], services: Services) -> Sequence[UndoableOperation]:
    """The operations that this browser has begun and that can still be taken back, latest first."""
    # As with the beginning of an operation: an operator of some queues has no part in it.
    named = _named(request, OPERATIONS_COOKIE) if request.user.may_act and not request.user.queues else []
    found = []
    for operation_id in reversed(named):
        one = await services.store.operations.undoable(operation_id)
        if one.jobs:
            with contextlib.suppress(StoreError):
                operation = await services.store.operations.present(operation_id)
                found.append(UndoableOperation(operation, one.jobs, one.until_ms))
    return found


def _named(request: Request[User, Any, Any], cookie: str) -> list[str]:
    keys = request.cookies.get(cookie, "").split(".")
    return [one for one in keys if NAMEABLE.fullmatch(one)][-SHOWN:]
