"""Actions of an operator on a job. Each is a POST, answered with the address to look at next."""

from litestar import post
from litestar.params import FromPath
from litestar.response import Redirect

from dashboard.audit_middleware import ACTION
from service.api.dependencies import Wired


@post("/jobs/{job_id:str}/retry", status_code=303, opt={ACTION: "job.retried"})
async def retry_job(services: Wired, job_id: FromPath[str]) -> Redirect:
    await services.store.retry(job_id)
    return Redirect(f"/admin/jobs/{job_id}?notice=retried", status_code=303)


@post("/jobs/{job_id:str}/cancel", status_code=303, opt={ACTION: "job.cancelled"})
async def cancel_job(services: Wired, job_id: FromPath[str]) -> Redirect:
    job = await services.store.cancel(job_id)
    notice = "cancelled" if job.state.terminal else "cancelling"
    return Redirect(f"/admin/jobs/{job_id}?notice={notice}", status_code=303)


@post("/jobs/{job_id:str}/delete", status_code=303, opt={ACTION: "job.deleted"})
async def delete_job(services: Wired, job_id: FromPath[str]) -> Redirect:
    await services.jobs.delete(job_id)
    return Redirect(f"/admin/jobs/{job_id}?notice=deleted", status_code=303)


@post("/jobs/{job_id:str}/restore", status_code=303, opt={ACTION: "job.restored"})
async def restore_job(services: Wired, job_id: FromPath[str]) -> Redirect:
    await services.store.restore(job_id)
    return Redirect(f"/admin/jobs/{job_id}?notice=restored", status_code=303)
