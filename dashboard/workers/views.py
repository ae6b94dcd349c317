"""GET /admin/workers: each worker, what it is and what it does."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from litestar import Request, get
from litestar.params import FromQuery
from litestar.response import Template

from dashboard.auth import User
from dashboard.flash_messages import NOTICES
from dashboard.jobs.file_names import files_of
from dashboard.live import live_or_page
from dashboard.rendering import render
from service.api.dependencies import ServicesDep
from service.engine.states import State
from service.engine.store import Job, WorkerInfo
from service.lib.clock import now_ms


@dataclass(frozen=True)
class Seen:
    """A worker's report, whether it is fresh, and the jobs that it runs."""

    report: WorkerInfo
    alive: bool
    jobs: list[Job]


@get(["/workers", "/workers/live"], name="workers")
async def workers_page(
    request: Request[User, Any, Any], services: ServicesDep, notice: FromQuery[str] = ""
) -> Template:
    """The page, and the fragment that keeps it fresh."""
    at_ms = now_ms()
    workers = await services.store.workers()
    found = await services.store.get_many([job_id for worker in workers for job_id in worker.jobs])
    jobs = {job.id: job for job in found if job}
    seen = [Seen(worker, worker.alive(at_ms), _running(worker, jobs)) for worker in workers]
    return render(
        request,
        live_or_page(request, "workers"),
        workers=seen,
        files=await files_of(services, jobs.values()),
        notice=NOTICES.get(notice),
    )


def _running(worker: WorkerInfo, jobs: Mapping[str, Job]) -> list[Job]:
    """The jobs of a worker's report that it still runs: one that failed since waits for its next try, perhaps elsewhere."""
    reported = [jobs[job_id] for job_id in worker.jobs if job_id in jobs]
    return [job for job in reported if job.state is State.ACTIVE and job.worker == worker.id]
