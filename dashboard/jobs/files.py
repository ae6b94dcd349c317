"""GET /admin/jobs/{id}/files/{name}: what a job has made. A browser has the dashboard's password, not an API key."""

from functools import partial
from typing import Any

from litestar import Request, Response, get
from litestar.exceptions import NotFoundException
from litestar.params import FromPath

from dashboard.auth import User
from service.api.downloads import download
from service.api.injected import Wired
from service.storage import NoSuchObject


@get("/jobs/{job_id:str}/files/{name:str}")
async def job_file(
    request: Request[User, Any, Any], services: Wired, job_id: FromPath[str], name: FromPath[str]
) -> Response[Any]:
    """The file, or a range of it. Raises NoSuchJob, NotFoundException."""
    job = await services.store.present(job_id)
    artefact = next((one for one in job.artefacts if one["name"] == name), None)
    path = services.jobs.artefact(job, name)
    gone = NotFoundException(f"Job {job_id} has no file called {name}.")
    if artefact is None or path is None:
        raise gone
    try:
        return await download(
            request,
            partial(services.storage.stream, path),
            size=artefact["bytes"],
            name=name,
            media_type=artefact["media_type"],
            etag=f"{job.id}-{job.attempt}-{artefact['bytes']}",
        )
    except NoSuchObject:
        raise gone from None
