"""GET /admin/jobs/{id}/files/{name}: what a job has made. A browser has the dashboard's password, not an API key."""

from typing import Any

from litestar import Request, Response, get
from litestar.exceptions import PermissionDeniedException
from litestar.params import FromPath

from dashboard.auth import User
from dashboard.jobs.masking import withheld
from service.api.dependencies import ServicesDep
from service.api.downloads import NoSuchArtefact, download_artefact


@get("/jobs/{job_id:str}/files/{name:str}")
async def job_file(
    request: Request[User, Any, Any], services: ServicesDep, job_id: FromPath[str], name: FromPath[str]
) -> Response[Any]:
    """The file, or a range of it. Raises NoSuchJob, NoSuchArtefact, PermissionDeniedException."""
    job = await services.store.present(job_id)
    await services.runtime.payloads.show(job)
    if withheld(job, name, request.user):
        raise PermissionDeniedException(f"{name} may hold personal data, which {request.user.name} may not see.")
    answer = await download_artefact(request, services, job, name)
    if answer is None:
        raise NoSuchArtefact(job, name)
    return answer
