"""GET /api/documents/{id}/videos/{name}: a format, the poster or the strip of a video, or the job that makes it."""

from functools import partial
from typing import Any

from litestar import Request, Response, route
from litestar.enums import HttpMethod
from litestar.openapi import ResponseSpec
from litestar.params import FromPath

from service.api.auth import require_type
from service.api.dependencies import CallerDep, ServicesDep
from service.api.downloads import download
from service.api.errors import BadRequest, error_response
from service.api.openapi import BINARY, RANGED, refusals
from service.api.schemas import AcceptedBody, ErrorBody, FieldError
from service.database import Document
from service.documents.media_types import VIDEOS
from service.documents.videos.request import request_video
from service.documents.videos.store import VideoStore
from service.services import Services
from tasks.video.formats import FORMATS, Format, Size, file_name, refusal
from tasks.video.stills import POSTER, STRIP
from tasks.video_transcode import video_transcode

STILLS = {"poster": POSTER, "strip": STRIP}

NAMES: dict[str, str] = {str(format): file_name(format) for format in FORMATS} | STILLS
"""Names in the storage, by the last segment of the path."""

ASK_AGAIN_S = 5
"""Retry-After in seconds: a short clip is done by then."""


@route(
    "/{file_id:str}/videos/{format:str}",
    http_method=[HttpMethod.GET, HttpMethod.HEAD],
    responses={
        200: BINARY,
        202: ResponseSpec(AcceptedBody, generate_examples=False, description="It is being made, by this job."),
        422: ResponseSpec(ErrorBody, generate_examples=False, description="The document is such that it has none."),
        **RANGED,
        **refusals(400, 404, 409, 416, 429),
    },
    summary="A video in a format, its poster or its strip",
    tags=["videos"],
)
async def read_video(
    file_id: FromPath[str],
    format: FromPath[str],
    request: Request[Any, Any, Any],
    services: ServicesDep,
    caller: CallerDep,
) -> Response[Any]:
    """`format` is 480p, 720p, 1080p or 4k for an MP4 file, poster or strip for a WebP picture. Ranges are honoured."""
    known = next((one for one in FORMATS if one == format), None)
    if known is None and format not in STILLS:
        names = ", ".join([*FORMATS, *STILLS])
        raise BadRequest(FieldError("format", f"format must be one of {names}, not {format[:40]}."))
    document = await services.files.describe(file_id, caller.owner)
    unstored = {"Cache-Control": "no-store"}
    if document.media_type not in VIDEOS:
        return error_response(422, f"{document.name} is not a video.", headers=unstored)
    there = await download_video(request, services, document, format)
    if there is not None:
        return there
    measures = Size(document.width or 0, document.height or 0)
    if known and (reason := refusal(document.name, measures, [known])):
        return error_response(422, reason, headers=unstored)
    # Every job makes poster and strip too.
    wanted: Format = known or FORMATS[0]
    require_type(caller, video_transcode.name)
    accepted = await request_video(services.enqueuer, document, wanted)
    headers = {"Retry-After": str(ASK_AGAIN_S), **unstored}
    return Response(AcceptedBody.of(accepted), status_code=202, headers=headers, media_type="application/json")


async def download_video(
    request: Request[Any, Any, Any], services: Services, document: Document, format: str
) -> Response[Any] | None:
    """A format, the poster or the strip, or a range of it; None where it is not there, or there is no such format."""
    name = NAMES.get(format)
    store = VideoStore(services.database, services.storage)
    size = await store.size_or_none(document.file_id, name) if name else None
    if name is None or size is None:
        return None
    stem = document.name.rpartition(".")[0] or document.name
    return await download(
        request,
        partial(store.stream, document.file_id, name),
        size=size,
        name=f"{stem}-{format}.{name.rpartition('.')[2]}",
        media_type="image/webp" if format in STILLS else "video/mp4",
        etag=f"{document.sha256[:32]}-{name}",
    )
