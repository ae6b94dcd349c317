"""POST /api/images: a photo as an app takes it, answered before it is processed; then its record and its pictures."""

from datetime import datetime
from typing import Any

import msgspec
from litestar import Request, Response, Router, get, post, route
from litestar.enums import HttpMethod
from litestar.openapi import ResponseSpec
from litestar.params import FromPath

from service.api.audit_middleware import AUDIT
from service.api.dependencies import Owner, ServicesDep
from service.api.errors import error_response
from service.api.files import FORM_OVERHEAD_BYTES, received
from service.api.image_responses import picture_response
from service.api.openapi import BINARY, UploadOperation, refusals
from service.api.schemas import ErrorBody
from service.api.upload_form import open_upload_form
from service.database import Document
from service.documents.images import ImageRecords, Picture
from service.documents.store import NoSuchFile
from service.engine.states import State
from service.services import Services
from tasks.image_process import ImageProcess, image_process
from tasks.sdk.errors import Refused


class ImageBody(msgspec.Struct):
    """An image's record. `status` is processing, ready or failed; the fields from `width` on are set when it is ready."""

    image_id: str
    name: str
    status: str
    job_id: str | None
    status_url: str | None
    created_at: datetime
    error: str | None
    width: int | None
    height: int | None
    format: str | None
    taken_at: str | None
    orientation: int | None
    cover_url: str | None
    preview_url: str | None


@post(
    "/",
    opt={AUDIT: "image.uploaded", "job_type": image_process.name},
    status_code=202,
    operation_class=UploadOperation,
    responses=refusals(400, 413, 415, 422, 429),
    # The limit is counted on the file as it arrives, with the sentence and the status of our own.
    request_max_body_size=None,
    summary="Upload a photo",
)
async def upload_image(request: Request[Any, Any, Any], services: ServicesDep, owner: Owner) -> ImageBody:
    """The photo as the field `file` of a multipart/form-data body. `image_id` is also its `file_id`."""
    limit = services.settings.max_upload_bytes
    if (request.content_length or 0) > limit + FORM_OVERHEAD_BYTES:
        raise Refused(f"The file is too large: the limit is {limit:,} bytes.", field="file", status_code=413)
    announced = (request.content_length or 0) - FORM_OVERHEAD_BYTES
    form = await open_upload_form(request.headers, received(request))
    document = await services.files.upload(form.chunks(), owner=owner, name=form.name, announced=announced)
    records = ImageRecords(services.database, services.storage)
    try:
        if not document.media_type.startswith("image/"):
            raise Refused(f"{document.name} is not an image.", field="file", status_code=415)
        await records.processing(document.file_id, None)
        accepted = await services.enqueuer.enqueue(
            image_process, ImageProcess(file_id=document.file_id), owner=owner, units=1
        )
    except BaseException:
        await services.files.delete(document.file_id)
        raise
    await records.queued(document.file_id, accepted.job_id)
    return await image_body(services, document)


@get("/{image_id:str}", responses=refusals(404, 409), summary="An image's record")
async def read_image(image_id: FromPath[str], services: ServicesDep, owner: Owner) -> ImageBody:
    return await image_body(services, await services.files.describe(image_id, owner))


@route(
    ["/{image_id:str}/cover", "/{image_id:str}/preview"],
    http_method=[HttpMethod.GET, HttpMethod.HEAD],
    responses={
        200: BINARY,
        202: ResponseSpec(ImageBody, generate_examples=False, description="It is still being processed."),
        422: ResponseSpec(ErrorBody, generate_examples=False, description="The image is such that it has none."),
        **refusals(404, 409),
    },
    summary="An image's cover (200 × 200) or preview (800 wide), as WebP",
)
async def read_picture(
    image_id: FromPath[str], request: Request[Any, Any, Any], services: ServicesDep, owner: Owner
) -> Response[Any]:
    document = await services.files.describe(image_id, owner)
    which: Picture = "cover" if request.url.path.endswith("/cover") else "preview"
    data = await ImageRecords(services.database, services.storage).picture(image_id, which)
    if data is not None:
        return picture_response(request, data, "image/webp", f"{document.sha256[:32]}-{which}")
    body = await image_body(services, document)
    if body.status == "failed":
        return error_response(
            422, f"{document.name} has no {which}. {body.error}", headers={"Cache-Control": "no-store"}
        )
    headers = {"Retry-After": "1", "Cache-Control": "no-store"}
    return Response(body, status_code=202, headers=headers, media_type="application/json")


async def image_body(services: Services, document: Document) -> ImageBody:
    """The record as it is shown. Raises NoSuchFile for a file that was never sent as an image."""
    record = await ImageRecords(services.database, services.storage).get(document.file_id)
    if record is None:
        raise NoSuchFile(document.file_id)
    status, error = record.status, record.error
    if status == "processing" and record.job_id:
        # A job may end without a word to the record: cancelled, or dead with its worker once too often.
        job = await services.store.get(record.job_id)
        if job is not None and job.state in (State.FAILED, State.CANCELLED):
            status, error = "failed", job.error or "Its processing was cancelled."
    url = f"/api/images/{document.file_id}"
    return ImageBody(
        image_id=document.file_id,
        name=document.name,
        status=status,
        job_id=record.job_id,
        status_url=f"/api/jobs/{record.job_id}/status" if record.job_id else None,
        created_at=record.created_at,
        error=error,
        width=record.width,
        height=record.height,
        format=record.format,
        taken_at=record.taken_at,
        orientation=record.orientation,
        cover_url=f"{url}/cover" if status == "ready" else None,
        preview_url=f"{url}/preview" if status == "ready" else None,
    )


routes = Router("/images", route_handlers=[upload_image, read_image, read_picture], tags=["images"])
