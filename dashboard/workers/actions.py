"""POST: a worker takes no new job, takes jobs again, or stops."""

from typing import Any

from litestar import Request, post
from litestar.exceptions import NotFoundException
from litestar.params import FromPath
from litestar.response import Redirect

from dashboard.audit_middleware import ACTION, audit_detail
from dashboard.auth import User
from service.api.dependencies import ServicesDep
from service.engine.store import channels
from service.services import Services
from tasks.sdk.errors import Refused


@post("/workers/{worker_id:str}/quiet", status_code=303, opt={ACTION: "worker.quieted"})
async def quiet_worker(request: Request[User, Any, Any], services: ServicesDep, worker_id: FromPath[str]) -> Redirect:
    """Let running jobs go on and start nothing new, until it is resumed or ends."""
    return await _send_command(request, services, worker_id, channels.QUIET, "quieted")


@post("/workers/{worker_id:str}/resume", status_code=303, opt={ACTION: "worker.resumed"})
async def resume_worker(request: Request[User, Any, Any], services: ServicesDep, worker_id: FromPath[str]) -> Redirect:
    return await _send_command(request, services, worker_id, channels.RESUME, "unquieted")


@post("/workers/{worker_id:str}/stop", status_code=303, opt={ACTION: "worker.stopped"})
async def stop_worker(request: Request[User, Any, Any], services: ServicesDep, worker_id: FromPath[str]) -> Redirect:
    """As SIGTERM: what runs there may finish within the grace time, the rest is returned to the queue, and the process ends."""
    return await _send_command(request, services, worker_id, channels.STOP, "stopping")


async def _send_command(
    request: Request[User, Any, Any], services: Services, worker_id: str, command: bytes, notice: str
) -> Redirect:
    worker = next((one for one in await services.store.workers() if one.id == worker_id), None)
    if worker is None:
        raise NotFoundException(f"There is no worker {worker_id[:120]}.")
    if not await services.store.command(worker_id, command):
        sentence = f"{worker_id} does not listen: it has ended, or is cut off from the queue server."
        raise Refused(sentence, field="worker", status_code=409)
    audit_detail(request, f"{worker.active} of {worker.slots} running")
    return Redirect(f"/admin/workers?notice={notice}", status_code=303)
