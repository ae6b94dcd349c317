"""POST: run a schedule now, pause it with a reason, resume it."""

from typing import Any

from litestar import Request, post
from litestar.params import FromPath, URLEncodedBody
from litestar.response import Redirect

from dashboard.audit_middleware import ACTION, audit_detail
from dashboard.auth import User
from dashboard.durations import until
from service.api.dependencies import ServicesDep
from service.lib.text import as_sentence
from tasks.sdk.errors import Refused


@post("/schedules/{schedule:str}/run", status_code=303, opt={ACTION: "schedule.run"})
async def run_schedule(request: Request[User, Any, Any], services: ServicesDep, schedule: FromPath[str]) -> Redirect:
    """Begin a manual run, paused or not; 409 while the run before has not ended."""
    try:
        job_id = await services.schedules.run_now(schedule, by=request.user.name)
    except ValueError as error:
        raise Refused(as_sentence(str(error)), field="schedule", status_code=409) from None
    audit_detail(request, job_id)
    return Redirect(f"/admin/jobs/{job_id}?notice=run", status_code=303)


@post("/schedules/{schedule:str}/pause", status_code=303, opt={ACTION: "schedule.paused"})
async def pause_schedule(
    request: Request[User, Any, Any],
    services: ServicesDep,
    schedule: FromPath[str],
    data: URLEncodedBody[dict[str, str]],
) -> Redirect:
    until_ms = until(data.get("end", ""))
    reason = data.get("reason", "")
    try:
        await services.schedules.pause(schedule, reason=reason, by=request.user.name, until_ms=until_ms)
    except ValueError as error:
        raise Refused(as_sentence(str(error)), field="reason") from None
    return Redirect("/admin/schedules?notice=paused", status_code=303)


@post("/schedules/{schedule:str}/resume", status_code=303, opt={ACTION: "schedule.resumed"})
async def resume_schedule(services: ServicesDep, schedule: FromPath[str]) -> Redirect:
    await services.schedules.resume(schedule)
    return Redirect("/admin/schedules?notice=resumed", status_code=303)
