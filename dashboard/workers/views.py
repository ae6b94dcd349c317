"""GET /admin/workers and the fragment that keeps it fresh."""

from dataclasses import dataclass
from typing import Any

from litestar import Request, get
from litestar.params import FromQuery
from litestar.response import Template

from dashboard.auth import User
from dashboard.notices import NOTICES
from dashboard.page import render
from dashboard.workers.liveness import alive
from service.api.injected import Wired
from service.moments import now_ms
from service.services import Services
from service.store import Job, WorkerInfo


@dataclass(frozen=True)
class Seen:
    """A worker's report, whether it is fresh, and the jobs that it speaks of."""

    report: WorkerInfo
    alive: bool
    jobs: list[Job]


@get("/workers", name="workers")
async def workers_page(request: Request[User, Any, Any], services: Wired, notice: FromQuery[str] = "") -> Template:
    return await _render(request, services, "workers/page.html", notice=NOTICES.get(notice))


@get("/workers/live")
async def workers_live(request: Request[User, Any, Any], services: Wired) -> Template:
    return await _render(request, services, "workers/live.html")


async def _render(request: Request[User, Any, Any], services: Services, template: str, **more: Any) -> Template:
    at_ms = now_ms()
    workers = await services.store.workers()
    found = await services.store.get_many([job_id for worker in workers for job_id in worker.jobs])
    jobs = {job.id: job for job in found if job}
    seen = [
        Seen(worker, alive(worker, at_ms), [jobs[job_id] for job_id in worker.jobs if job_id in jobs])
        for worker in workers
    ]
    return render(request, template, workers=seen, **more)
