"""/admin/jobs/new: a form for each public job type, made from its declaration."""

from typing import Any

from litestar import Request, get, post
from litestar.exceptions import NotFoundException
from litestar.params import FromPath, FromQuery
from litestar.response import Redirect, Template

from dashboard import csrf
from dashboard.audit_middleware import ACTION, audit_detail
from dashboard.auth import User
from dashboard.jobs.fields import fields_of
from dashboard.jobs.form import offered, show_form, start
from service.api.dependencies import ServicesDep
from tasks.sdk.types import REGISTRY, JobType


@get("/jobs/new", name="new-job")
async def new_job_page(request: Request[User, Any, Any], services: ServicesDep, type: FromQuery[str] = "") -> Template:
    job_type = _known(type) if type else offered()[0]
    return show_form(request, services, job_type, {field.name: field.default for field in fields_of(job_type)})


@post(
    "/jobs/new/{type:str}",
    status_code=303,
    request_max_body_size=None,
    opt={csrf.CHECKED_BY_HANDLER: True, ACTION: "job.submitted"},
)
async def submit_job(
    request: Request[User, Any, Any], services: ServicesDep, type: FromPath[str]
) -> Redirect | Template:
    """Queue what the form asks for, or show it again with each wrong field named and nothing lost."""
    started = await start(request, services, _known(type))
    if isinstance(started, Template):
        return started
    audit_detail(request, f"{started.job_id} for {started.owner}")
    return Redirect(f"/admin/jobs/{started.job_id}?notice=submitted", status_code=303)


def _known(name: str) -> JobType:
    job_type = REGISTRY.get(name)
    if job_type is None or not job_type.public:
        raise NotFoundException(f"There is no job type {name[:80]} to start.")
    return job_type
