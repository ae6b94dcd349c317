"""GET below /admin/jobs/{id}: the pictures of a preview. Each is one that this job has made or read."""

from typing import Any

from litestar import Request, Response, get
from litestar.exceptions import NotFoundException
from litestar.params import FromPath

from dashboard.auth import PERSONAL, User
from dashboard.previews.page_images import drawn_page
from dashboard.previews.pages import page_count
from dashboard.previews.thumbnails import document_ids, shown_format, shown_size
from service.api.dependencies import ServicesDep
from service.api.image_responses import picture_response, thumbnail_response
from service.documents.images import ImageRecords
from service.documents.thumbnails.store import ThumbnailStore
from tasks.images.pages import SIDE
from tasks.images.variants import Variant


@get("/jobs/{job_id:str}/pages/{number:int}/picture", opt={PERSONAL: True})
async def page_picture(
    request: Request[User, Any, Any], services: ServicesDep, job_id: FromPath[str], number: FromPath[int]
) -> Response[Any]:
    """A page of the document that the job has read. Raises NoSuchJob, NotFoundException, Refused."""
    job = await services.store.present(job_id)
    if not 1 <= number <= page_count(job):
        raise NotFoundException(f"Job {job_id} has read no page {number}.")
    return picture_response(request, await drawn_page(services, job, number), "image/webp", f"{job.id}-{SIDE}-{number}")


@get("/jobs/{job_id:str}/thumbnails/{file_id:str}", opt={PERSONAL: True})
async def thumbnail_picture(
    request: Request[User, Any, Any], services: ServicesDep, job_id: FromPath[str], file_id: FromPath[str]
) -> Response[Any]:
    """A thumbnail of one of the job's documents. Raises NoSuchJob, NoSuchFile, NotFoundException."""
    job = await services.store.present(job_id)
    if file_id not in document_ids(job):
        raise NotFoundException(f"Job {job_id} has no document {file_id[:80]}.")
    document = await services.files.describe(file_id)
    variant = Variant(shown_size(job), shown_format(job))
    data = await ThumbnailStore(services.storage).picture(document.sha256, variant)
    if data is None:
        raise NotFoundException(f"{document.name} has no thumbnail of {variant.size} pixels.")
    return thumbnail_response(request, data, document.sha256, variant)


@get(["/jobs/{job_id:str}/cover", "/jobs/{job_id:str}/preview"], opt={PERSONAL: True})
async def photo_picture(
    request: Request[User, Any, Any], services: ServicesDep, job_id: FromPath[str]
) -> Response[Any]:
    """The cover or the preview of the photo that the job has processed. Raises NoSuchJob, NoSuchFile, NotFoundException."""
    job = await services.store.present(job_id)
    if job.type != "image-process":
        raise NotFoundException(f"Job {job_id} has processed no photo.")
    document = await services.files.describe(str(job.payload.get("file_id", "")))
    records = ImageRecords(services.database, services.storage)
    which: Any = request.url.path.rpartition("/")[2]
    data = await records.picture(document.file_id, which)
    if data is None:
        raise NotFoundException(f"{document.name} has no {which}.")
    return picture_response(request, data, "image/webp", f"{document.sha256[:32]}-{which}")
