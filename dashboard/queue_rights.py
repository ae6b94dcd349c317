"""Roles by queue: an operator of some queues acts on their jobs and workers, and on nothing else."""

from typing import Any

from litestar import Request
from litestar.exceptions import PermissionDeniedException

from dashboard.auth import User
from service.services import Services
from tasks.sdk.types import REGISTRY


async def require_queue(request: Request[User, Any, Any]) -> None:
    """Raises PermissionDeniedException (403) where an operator of some queues acts on something outside them."""
    user = request.user
    if user.queues and not user.may_act_in(await _queue_of(request)):
        raise PermissionDeniedException(f"{user.name} acts in {', '.join(user.queues)} only.")


async def _queue_of(request: Request[User, Any, Any]) -> str:
    """Queue of the thing that the address names; empty for what belongs to none, or to several."""
    services: Services = request.app.state.services
    match request.path_params:
        case {"job_id": job_id}:
            job = await services.store.get(job_id)
            return job.queue if job else ""
        case {"queue": queue}:
            return str(queue)
        case {"type": name}:
            return str(REGISTRY[name].queue) if name in REGISTRY else ""
        case {"worker_id": worker_id}:
            return str(worker_id).partition(":")[0]
    return ""
