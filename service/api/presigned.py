"""POST /api/files/presigned: an address of the S3 storage that a client sends a file to, and its completion."""

from typing import Annotated, Any

import msgspec
from litestar import Request, post
from litestar.params import FromPath, JSONBody

from service.api.audit_middleware import AUDIT, BY_HANDLER
from service.api.dependencies import Owner, ServicesDep
from service.api.file_bodies import log_document, with_reading
from service.api.openapi import refusals
from service.api.schemas import FileBody
from service.api.strict_json import StrictJson
from service.api.uploads import moment


class PresignedRequest(msgspec.Struct, forbid_unknown_fields=True, frozen=True, kw_only=True):
    """A file that is to be sent. With `reuse` a document that the owner has of the same bytes is wanted."""

    name: Annotated[str, msgspec.Meta(min_length=1, max_length=1000)]
    bytes: Annotated[int, msgspec.Meta(ge=0, le=2**62)]
    sha256: Annotated[str, msgspec.Meta(pattern="^[0-9a-f]{64}$")] | None = None
    reuse: bool = False


class PresignedBody(msgspec.Struct):
    """`method` the file's bytes, as they are, to `url` with `headers` before `expires_at`; then POST `complete_url`."""

    upload_id: str
    method: str
    url: str
    headers: dict[str, str]
    expires_at: str
    complete_url: str


@post(
    "/presigned",
    status_code=201,
    dto=StrictJson,
    return_dto=None,
    opt={AUDIT: "upload.created"},
    responses=refusals(400, 409, 413, 429),
    summary="Begin an upload straight to the S3 storage",
)
async def begin_presigned(data: JSONBody[PresignedRequest], services: ServicesDep, owner: Owner) -> PresignedBody:
    """409 where this installation keeps its files in a folder, or encrypts them."""
    upload, url = await services.presigned.begin(owner, data.name, data.bytes, data.sha256, reuse=data.reuse)
    return PresignedBody(
        upload_id=upload.upload_id,
        method="PUT",
        url=url,
        headers={},
        expires_at=moment(upload.expires_at),
        complete_url=f"/api/files/presigned/{upload.upload_id}/complete",
    )


@post(
    "/presigned/{upload_id:str}/complete",
    status_code=201,
    opt={AUDIT: BY_HANDLER},
    responses=refusals(400, 404, 409, 410, 413, 415, 422),
    summary="Make a document of what was sent",
)
async def complete_presigned(
    upload_id: FromPath[str], request: Request[Any, Any, Any], services: ServicesDep, owner: Owner
) -> FileBody:
    """The bytes are checked as those of any upload, and against what was announced. A repeated call has the same answer."""
    document = await services.presigned.complete(upload_id, owner)
    await log_document(services, request, document.file_id, upload_id)
    return await with_reading(services, document)


handlers = [begin_presigned, complete_presigned]
