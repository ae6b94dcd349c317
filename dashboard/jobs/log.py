"""A job's log: on its page, where it follows the job, and as a page of its own."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlencode

from litestar import Request, Response, get
from litestar.params import FromPath, FromQuery
from litestar.response import Template

from dashboard.auth import User
from dashboard.jobs.file_names import files_of
from dashboard.rendering import HTMX_STOP_POLLING, render
from service.api.dependencies import ServicesDep
from service.engine.store import Job, LogLine, NoSuchJob
from service.lib.clock import now_ms
from service.services import Services

LEVELS = ("debug", "info", "warning", "error")
"""From the most talkative to the gravest; a level shows itself and what is graver."""

GRAVEST = {"critical": "error", "exception": "error", "fatal": "error", "warn": "warning", "notset": "debug"}
"""Other names that loggers use."""

LEVEL_BADGES = {
    "debug": ("help", "state-cancelled"),
    "info": ("queued", "state-queued"),
    "warning": ("warning", "state-retrying"),
    "error": ("failed", "state-failed"),
}
"""The icon and the colour of a level, shown with its word."""

LONG = 160
"""Characters of a field from which on it is folded away, as is one of several lines."""

LATE_MS = 5_000
"""Seconds after its end for which a job is still asked for lines: the last of them travel behind its outcome."""


@dataclass(frozen=True)
class Line:
    """A line as it is shown. `key` names it for as long as it is there; `folded` fields open when asked to."""

    key: str
    at_ms: int
    level: str
    attempt: int
    event: str
    fields: dict[str, str]
    folded: dict[str, str]


@dataclass(frozen=True)
class Log:
    """Lines of a job's log, from one level up. `seen` stands for its state: another one means another log."""

    job: Job
    level: str
    lines: Sequence[Line]
    stored: int
    seen: str
    follows: bool

    def live(self) -> str:
        """The address that answers with the log once it has changed."""
        return f"/admin/jobs/{self.job.id}/log/live?{urlencode({'level': self.level, 'seen': self.seen})}"

    def badge(self, level: str) -> tuple[str, str]:
        return LEVEL_BADGES[level]


@get("/jobs/{job_id:str}/log", name="job-log")
async def log_page(
    request: Request[User, Any, Any], services: ServicesDep, job_id: FromPath[str], level: FromQuery[str] = ""
) -> Template:
    """The log alone, for a browser without scripts and for a screen of its own."""
    log = await log_of(services, await known(services, job_id), level)
    return render(request, "jobs/log_page.html", log=log, files=await files_of(services, [log.job]))


@get("/jobs/{job_id:str}/log/live")
async def log_live(
    request: Request[User, Any, Any],
    services: ServicesDep,
    job_id: FromPath[str],
    level: FromQuery[str] = "",
    seen: FromQuery[str] = "",
) -> Response[None] | Template:
    """The log's fragment, or 204 where it is as it was: a quiet job's log costs next to nothing."""
    log = await log_of(services, await known(services, job_id), level)
    if log.follows and log.seen == seen:
        return Response(None, status_code=204)
    status_code = 200 if log.follows else HTMX_STOP_POLLING
    # The documents are there for their names, which are redacted where a line repeats them.
    return render(request, "jobs/log.html", status_code=status_code, log=log, files=await files_of(services, [log.job]))


async def log_of(services: Services, job: Job, level: str) -> Log:
    """The lines of `level` and graver, oldest first; of all levels where there is no such level."""
    stored = await services.store.log(job.id)
    least = LEVELS.index(level) if level in LEVELS else 0
    lines = [line for line in _lines(stored) if LEVELS.index(line.level) >= least]
    follows = not job.state.terminal or now_ms() - (job.finished_ms or 0) < LATE_MS
    seen = f"{len(stored)}-{stored[-1].at_ms}-{len(stored[-1].event)}" if stored else "0"
    return Log(job, LEVELS[least], lines, len(stored), seen, follows)


def _lines(stored: Sequence[LogLine]) -> list[Line]:
    """With a key each. Lines of one millisecond are told apart by how many of it come behind: the oldest go first."""
    counted: dict[int, int] = {}
    shown = []
    for line in reversed(stored):
        counted[line.at_ms] = behind = counted.get(line.at_ms, 0) + 1
        long = {name for name, value in line.fields.items() if len(value) > LONG or "\n" in value}
        level = GRAVEST.get(line.level, line.level)
        shown.append(
            Line(
                key=f"{line.at_ms}-{behind}",
                at_ms=line.at_ms,
                level=level if level in LEVELS else "info",
                attempt=line.attempt,
                event=line.event,
                fields={name: value for name, value in line.fields.items() if name not in long},
                folded={name: line.fields[name] for name in line.fields if name in long},
            )
        )
    return shown[::-1]


async def known(services: Services, job_id: str) -> Job:
    """The job, though it lie in the bin. Raises NoSuchJob."""
    (job,) = await services.store.get_many([job_id])
    if job is None:
        raise NoSuchJob(job_id)
    return job
