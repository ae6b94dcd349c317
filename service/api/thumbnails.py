"""GET /api/documents/{id}/thumbnails/{size}: the picture, or the job that makes it."""

from typing import Any

from litestar import Request, Response, route
from litestar.enums import HttpMethod
from litestar.openapi import ResponseSpec
from litestar.params import FromPath

from service.api.auth import require_type
from service.api.dependencies import CallerDep, ServicesDep
from service.api.errors import BadRequest, error_response
from service.api.image_responses import thumbnail_response
from service.api.openapi import BINARY, refusals
from service.api.schemas import AcceptedBody, ErrorBody, FieldError
from service.documents.media_types import VIDEOS
from service.documents.thumbnails.request import request_thumbnails
from service.documents.thumbnails.store import ThumbnailStore
from tasks.images.variants import FORMATS, MEDIA_TYPES, SIZE_MAX, SIZE_MIN, Format, Variant
from tasks.thumbnails import thumbnails

ASK_AGAIN_S = 1
"""Retry-After in seconds: most documents are done by then."""


@route(
    "/{file_id:str}/thumbnails/{size:int}",
    http_method=[HttpMethod.GET, HttpMethod.HEAD],
    responses={
        200: BINARY,
        202: ResponseSpec(AcceptedBody, generate_examples=False, description="It is being made, by this job."),
        422: ResponseSpec(ErrorBody, generate_examples=False, description="The document is such that it has none."),
        **refusals(400, 404, 409, 429),
    },
    summary="A thumbnail of a document",
    tags=["thumbnails"],
)
async def read_thumbnail(
    file_id: FromPath[str],
    size: FromPath[int],
    request: Request[Any, Any, Any],
    services: ServicesDep,
    caller: CallerDep,
) -> Response[Any]:
    """`size` is the longest side in pixels. WebP, or JPEG where the request's Accept header says no to WebP."""
    if not SIZE_MIN <= size <= SIZE_MAX:
        raise BadRequest(FieldError("size", f"size must be from {SIZE_MIN} to {SIZE_MAX} pixels, not {size}."))
    document = await services.files.describe(file_id, caller.owner)
    if document.media_type in VIDEOS:
        sentence = f"{document.name} is a video: video-transcode makes its poster."
        return error_response(422, sentence, headers={"Cache-Control": "no-store"})
    variant = Variant(size, accepted_format(request))
    store = ThumbnailStore(services.storage)
    data = await store.picture(document.sha256, variant)
    if data is not None:
        return thumbnail_response(request, data, document.sha256, variant)
    reason = await store.reason_for_none(document.sha256)
    if reason is not None:
        return error_response(422, f"{document.name} has no thumbnail. {reason}", headers={"Cache-Control": "no-store"})
    require_type(caller, thumbnails.name)
    accepted = await request_thumbnails(services.enqueuer, document, size)
    headers = {"Retry-After": str(ASK_AGAIN_S), "Cache-Control": "no-store"}
    return Response(AcceptedBody.of(accepted), status_code=202, headers=headers, media_type="application/json")


def accepted_format(request: Request[Any, Any, Any]) -> Format:
    """The first of our formats that the request accepts; WebP where it accepts none, as RFC 9110 allows."""
    best = request.accept.best_match([MEDIA_TYPES[format] for format in FORMATS])
    return next((format for format in FORMATS if MEDIA_TYPES[format] == best), FORMATS[0])
