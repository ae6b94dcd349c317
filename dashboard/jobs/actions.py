"""Actions of an operator on a job. Each is a POST, answered with the address to look at next."""

from typing import Any

import msgspec
from litestar import Request, post
from litestar.params import FromPath, URLEncodedBody
from litestar.response import Redirect

from dashboard.audit_middleware import ACTION, audit_detail
from dashboard.auth import User
from dashboard.undo import remember
from service.api.dependencies import ServicesDep
from service.api.posted_events import check_name
from tasks.sdk.errors import Refused

COMMENT_MAX = 500
"""Characters of a comment on a decision."""


@post("/jobs/{job_id:str}/retry", status_code=303, opt={ACTION: "job.retried"})
async def retry_job(services: ServicesDep, job_id: FromPath[str]) -> Redirect:
    await services.store.retry(job_id)
    return Redirect(f"/admin/jobs/{job_id}?notice=retried", status_code=303)


@post("/jobs/{job_id:str}/cancel", status_code=303, opt={ACTION: "job.cancelled"})
async def cancel_job(services: ServicesDep, job_id: FromPath[str]) -> Redirect:
    job = await services.store.cancel(job_id)
    notice = "cancelled" if job.state.terminal else "cancelling"
    return Redirect(f"/admin/jobs/{job_id}?notice={notice}", status_code=303)


@post("/jobs/{job_id:str}/delete", status_code=303, opt={ACTION: "job.deleted"})
async def delete_job(request: Request[User, Any, Any], services: ServicesDep, job_id: FromPath[str]) -> Redirect:
    await services.jobs.delete(job_id)
    return Redirect(f"/admin/jobs/{job_id}?notice=deleted", status_code=303, cookies=remember(request, job_id))


@post("/jobs/{job_id:str}/restore", status_code=303, opt={ACTION: "job.restored"})
async def restore_job(services: ServicesDep, job_id: FromPath[str]) -> Redirect:
    await services.store.restore(job_id)
    return Redirect(f"/admin/jobs/{job_id}?notice=restored", status_code=303)


@post("/jobs/{job_id:str}/answer", status_code=303, opt={ACTION: "job.event"})
async def answer_job(
    request: Request[User, Any, Any], services: ServicesDep, job_id: FromPath[str], data: URLEncodedBody[dict[str, str]]
) -> Redirect:
    """A person's answer to what a job waits for: the event of a program, with who decided."""
    event, decision = check_name(data.get("event", "")), data.get("decision", "")
    if decision not in ("approve", "reject"):
        raise Refused(f"A decision is approve or reject, not {decision[:40]}.", field="decision")
    comment = data.get("comment", "").strip()
    if len(comment) > COMMENT_MAX:
        raise Refused(f"A comment has {COMMENT_MAX} characters at most.", field="comment")
    by = request.user.name
    body = {"approved": decision == "approve", "by": by, "comment": comment}
    await services.store.event_came(job_id, event, msgspec.json.encode(body, order="deterministic"), by)
    audit_detail(request, f"{event}: {decision}" + (f", {comment}" if comment else ""))
    return Redirect(f"/admin/jobs/{job_id}?notice={'approved' if body['approved'] else 'rejected'}", status_code=303)
