"""GET /admin/jobs/{id}: one job, and the fragment that follows it until it ends."""

from dataclasses import dataclass
from typing import Any

from litestar import Request, get
from litestar.params import FromPath, FromQuery
from litestar.response import Template

from dashboard.auth import User
from dashboard.jobs.steps import Step, steps
from dashboard.jobs.visible import visible
from dashboard.jobs.waiting import Check, checks
from dashboard.notices import NOTICES
from dashboard.page import HTMX_STOP_POLLING, render
from service.api.injected import Wired
from service.moments import now_ms
from service.services import Services
from service.storage import NoSuchObject
from service.store import Attempt, Job, NoSuchJob

PREVIEW_BYTES = 4_096
"""Of a text on the job's page: enough to see whether it was read well. The whole is one click away."""


@dataclass(frozen=True)
class Detail:
    """Everything about one job that its page shows. `attempts` are newest first."""

    job: Job
    attempts: list[Attempt]
    parts: list[Job]
    steps: list[Step]
    preview: str | None
    waiting: list[Check]


@get("/jobs/{job_id:str}", name="job")
async def job_page(
    request: Request[User, Any, Any], services: Wired, job_id: FromPath[str], notice: FromQuery[str] = ""
) -> Template:
    detail = await _detail(services, job_id)
    payload = visible(detail.job, request.user)
    return render(request, "jobs/show.html", detail=detail, payload=payload, notice=NOTICES.get(notice))


@get("/jobs/{job_id:str}/live")
async def job_live(request: Request[User, Any, Any], services: Wired, job_id: FromPath[str]) -> Template:
    detail = await _detail(services, job_id)
    status_code = HTMX_STOP_POLLING if detail.job.state.terminal else 200
    return render(request, "jobs/job.html", status_code=status_code, detail=detail)


async def _detail(services: Services, job_id: str) -> Detail:
    """The job, though it lie in the bin. Raises NoSuchJob."""
    store = services.store
    (job,) = await store.get_many([job_id])
    if job is None:
        raise NoSuchJob(job_id)
    attempts = await store.attempts(job_id)
    parts = await store.parts(job_id) if job.parts_total else []
    at_ms = now_ms()
    waiting = await checks(services, job, at_ms)
    way = steps(job, at_ms, held=any(check.holds for check in waiting))
    return Detail(job, attempts[::-1], parts, way, await _preview(services, job), waiting)


async def _preview(services: Services, job: Job) -> str | None:
    """The beginning of a text that the job has made."""
    for artefact in job.artefacts:
        path = services.jobs.artefact(job, artefact["name"])
        if path and artefact["media_type"].startswith("text/plain"):
            try:
                chunks = [chunk async for chunk in await services.storage.stream(path, 0, PREVIEW_BYTES)]
            except NoSuchObject:
                return None
            return b"".join(chunks).decode("utf-8", "ignore")
    return None
