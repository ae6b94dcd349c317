"""Undo of deletions: a job in the bin is named on every page, for as long as it can be restored, to the operator who deleted it.

The browser remembers which jobs it were, in a cookie; whether one is still in the bin is read each time.
"""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from litestar import Request
from litestar.datastructures import Cookie

from dashboard.auth import User
from service.engine.store.retention import BIN_S
from service.services import Services

COOKIE = "offload_undo"
SHOWN = 3
"""Jobs that are named at once; of more, the latest."""

NAMEABLE = re.compile(r"[\w-]{1,100}")
"""Ids that a cookie can hold. A job that came from elsewhere may have another: its own page restores it all the same."""


@dataclass(frozen=True)
class Undoable:
    """A deleted job, and until when (ms since the epoch) it can be restored."""

    job_id: str
    until_ms: int


def remember(request: Request[User, Any, Any], job_id: str) -> list[Cookie]:
    """The cookie that names a job that has just been deleted, with those before it."""
    if not NAMEABLE.fullmatch(job_id):
        return []
    before = [one for one in _named(request) if one != job_id]
    value = ".".join([*before, job_id][-SHOWN:])
    secure = request.url.scheme == "https"
    return [Cookie(key=COOKIE, value=value, path="/admin", max_age=BIN_S, httponly=True, samesite="lax", secure=secure)]


async def undoable(request: Request[User, Any, Any], services: Services) -> Sequence[Undoable]:
    """The jobs that this browser has deleted and that are still in the bin, latest first."""
    named = _named(request) if request.user.may_act else []
    jobs = await services.store.get_many(named) if named else []
    return [Undoable(job.id, job.deleted_ms + BIN_S * 1000) for job in reversed(jobs) if job and job.deleted_ms]


def _named(request: Request[User, Any, Any]) -> list[str]:
    ids = request.cookies.get(COOKIE, "").split(".")
    return [one for one in ids if NAMEABLE.fullmatch(one)][-SHOWN:]
