"""GET /admin/jobs/{id}: one job, and the fragment that follows it until it ends."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from litestar import Request, get
from litestar.params import FromPath, FromQuery
from litestar.response import Template

from dashboard.auth import User
from dashboard.documents.rows import SHOWN, Row
from dashboard.flash_messages import NOTICES
from dashboard.jobs.file_names import NamedFiles, files_of
from dashboard.jobs.history import history
from dashboard.jobs.log import known, log_of
from dashboard.jobs.masking import visible
from dashboard.jobs.retrying import meaning
from dashboard.jobs.timeline import Step, steps
from dashboard.jobs.wait_reasons import Check, checks
from dashboard.previews.preview import Preview, preview_of
from dashboard.previews.view_query import View, from_address
from dashboard.rendering import HTMX_STOP_POLLING, render
from service.api.dependencies import ServicesDep
from service.documents.thumbnails.store import ThumbnailStore
from service.engine.store import Attempt, Job
from service.engine.store.run_history import repetitions
from service.lib.clock import now_ms
from service.services import Services

REPEATED = 5
"""Repetitions of a job that are named on its page; the rest is a filter away."""


@dataclass(frozen=True)
class Detail:
    """Everything about one job that its page shows. `attempts` are newest first; `repeated` are the newest
    jobs that repeat it, of `repeated_times`; `files` are the documents that it works on."""

    job: Job
    attempts: list[Attempt]
    parts: list[Job]
    steps: list[Step]
    waiting: list[Check]
    view: View
    preview: Preview | None
    repeated: Sequence[str]
    repeated_times: int
    files: NamedFiles | None
    picture: str | None
    """Address of the picture of the one document that the job works on; None where there is none."""
    payload_note: str | None
    """The reason why the payload is not shown, where that is so."""

    @property
    def message(self) -> str:
        """The reason of a job that something holds, else its last message, else its state in words."""
        held = next((check.answer for check in self.waiting if check.holds), None)
        if held and self.job.state.waiting:
            return held
        message = self.job.message
        return message if message and message != self.job.error else meaning(self.job)


@get("/jobs/{job_id:str}", name="job")
async def job_page(
    request: Request[User, Any, Any], services: ServicesDep, job_id: FromPath[str], notice: FromQuery[str] = ""
) -> Template:
    detail = await _detail(request, services, job_id)
    return render(
        request,
        "jobs/show.html",
        detail=detail,
        payload=visible(detail.job, request.user),
        log=await log_of(services, detail.job, request.query_params.get("level", "")),
        history=await history(services, detail.job),
        notice=NOTICES.get(notice),
    )


@get("/jobs/{job_id:str}/live")
async def job_live(request: Request[User, Any, Any], services: ServicesDep, job_id: FromPath[str]) -> Template:
    detail = await _detail(request, services, job_id)
    status_code = HTMX_STOP_POLLING if detail.job.state.terminal else 200
    return render(request, "jobs/job.html", status_code=status_code, detail=detail)


async def _detail(request: Request[User, Any, Any], services: Services, job_id: str) -> Detail:
    """The job, though it lie in the bin. Raises NoSuchJob."""
    store = services.store
    job = await known(services, job_id)
    note = await services.runtime.payloads.show(job)
    attempts = await store.attempts(job_id)
    parts = await store.parts(job_id) if job.parts_total else []
    at_ms = now_ms()
    waiting = await checks(services, job, parts, at_ms)
    holding = [check for check in waiting if check.holds]
    # A time helps only where nothing else holds the job as well.
    held_until_ms = holding[0].until_ms if len(holding) == 1 else None
    # Nor can the end be foreseen while every part waits for another try.
    held = bool(holding) or bool(waiting and job.waiting_parts)
    way = steps(job, at_ms, held=held, held_until_ms=held_until_ms)
    view = from_address(request.query_params)
    preview = await preview_of(services, job, request.user, view)
    repeated, times = await repetitions(services.redis, job.queue, job_id, REPEATED)
    files = (await files_of(services, [job])).get(job_id)
    picture = await _picture(services, files, request.user)
    return Detail(job, attempts[::-1], parts, way, waiting, view, preview, repeated, times, files, picture, note)


async def _picture(services: Services, files: NamedFiles | None, user: User) -> str | None:
    if files is None or len(files.documents) != 1 or not user.sees_personal:
        return None
    (document,) = files.documents
    if await ThumbnailStore(services.storage).availability(document.sha256, SHOWN) != "there":
        return None
    return Row(document, "there", None, []).address_of()
