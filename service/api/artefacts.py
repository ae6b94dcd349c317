"""Handing out what a job has made: by the JSON API and by the dashboard."""

from functools import partial
from typing import Any

from litestar import Request, Response

from service.api.downloads import download
from service.documents.store import NoSuchFile
from service.engine.store import Job
from service.lib.object_storage import NoSuchObject
from service.services import Services


async def download_artefact(
    request: Request[Any, Any, Any], services: Services, job: Job, name: str
) -> Response[Any] | None:
    """The file, or a range of it; None where the job has none of that name, or has it no more."""
    artefact = next((one for one in job.artefacts if one["name"] == name), None)
    path = services.jobs.artefact(job, name)
    if artefact is None or path is None:
        return None
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
        return None


class NoSuchArtefact(NoSuchFile):
    """A file that a job does not have, or has not made yet; the message says which of the two."""

    def __init__(self, job: Job, name: str) -> None:
        lead, there = f"Job {job.id} has no file {name[:120]}", ", ".join(one["name"] for one in job.artefacts)
        if not job.state.terminal:
            reason = f" yet: it is {job.state}, at {job.progress} %. Ask again when its status is completed."
        else:
            reason = f": it has {there}." if there else f": it ended {job.state}, without files."
        Exception.__init__(self, lead + reason)
