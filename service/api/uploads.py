"""/api/uploads: resumable uploads by the tus protocol 1.0.0 with creation, expiration, checksum and termination.

https://tus.io/protocols/resumable-upload.html; any tus client can be used. The last PATCH makes the document.
"""

from datetime import datetime
from email.utils import format_datetime
from typing import Any

import msgspec
from litestar import Request, Response, Router, delete, get, head, patch, post, route
from litestar.enums import HttpMethod, ScopeType
from litestar.exceptions import MethodNotAllowedException
from litestar.middleware import ASGIMiddleware
from litestar.openapi.datastructures import ResponseSpec
from litestar.params import FromPath
from litestar.types import ASGIApp, Message, Receive, Send
from litestar.types import Scope as ConnectionScope

from service.api.audit_middleware import AUDIT, BY_HANDLER
from service.api.dependencies import Owner, ServicesDep
from service.api.file_bodies import log_document
from service.api.files import received
from service.api.openapi import refusals
from service.api.upload_headers import VERSION, Length, Metadata, Offset, Sum, Version, check_version, metadata, number
from service.database import Upload
from service.database.api_keys import Scope
from service.documents.checksums import ALGORITHMS, Checksum
from service.engine.job_status import rfc3339
from tasks.sdk.errors import Refused

PIECE_TYPE = "application/offset+octet-stream"


class UploadBody(msgspec.Struct):
    """An upload. `received` bytes of `bytes` are stored; `file_id` is the document's once all are."""

    upload_id: str
    name: str
    bytes: int
    received: int
    expires_at: str
    file_id: str | None


class TusVersion(ASGIMiddleware):
    """Names the protocol's version in every answer, those of errors too, as it demands."""

    scopes = (ScopeType.HTTP,)

    async def handle(self, scope: ConnectionScope, receive: Receive, send: Send, next_app: ASGIApp) -> None:
        """Add the header to the answer's head."""

        async def versioned(message: Message) -> None:
            if message["type"] == "http.response.start":
                message["headers"] = [*message["headers"], (b"tus-resumable", VERSION.encode())]
            await send(message)

        await next_app(scope, receive, versioned)


NO_BODY = ResponseSpec(None, generate_examples=False, description="In headers: Upload-Offset, Upload-Expires.")


@route("/", http_method=HttpMethod.OPTIONS, include_in_schema=False)
async def describe_protocol(services: ServicesDep) -> Response[None]:
    return Response(
        None,
        status_code=204,
        headers={
            "Tus-Version": VERSION,
            "Tus-Extension": "creation,expiration,checksum,termination",
            "Tus-Checksum-Algorithm": ",".join(ALGORITHMS),
            "Tus-Max-Size": str(services.settings.max_upload_bytes),
        },
    )


@post(
    "/",
    status_code=201,
    opt={AUDIT: "upload.created"},
    responses=refusals(400, 412, 413, 429),
    summary="Begin a resumable upload",
)
async def create_upload(
    services: ServicesDep,
    owner: Owner,
    length: Length = None,
    described: Metadata = None,
    version: Version = None,
) -> Response[UploadBody]:
    """The tus protocol: PATCH the bytes to the address in `Location`."""
    check_version(version)
    size = number(length, "Upload-Length")
    about = metadata(described or "")
    name = about.get("filename") or about.get("name")
    reuse = about.get("reuse") == "true"
    upload = await services.uploads.create(owner, name, size, described=described or "", reuse=reuse)
    headers = {"Location": f"/api/uploads/{upload.upload_id}", **_state(upload)}
    return Response(body_of(upload), status_code=201, headers=headers)


@head(
    "/{upload_id:str}",
    opt={"scope": Scope.SUBMIT},
    responses=refusals(404, 410, 412),
    summary="Offset at which an upload continues",
)
async def read_offset(
    upload_id: FromPath[str], services: ServicesDep, owner: Owner, version: Version = None
) -> Response[None]:
    check_version(version)
    upload = await services.uploads.get(upload_id, owner)
    headers = {"Upload-Length": str(upload.bytes), "Cache-Control": "no-store", **_state(upload)}
    if upload.described:
        headers["Upload-Metadata"] = upload.described
    return Response(None, status_code=200, headers=headers)


@get("/{upload_id:str}", opt={"scope": Scope.SUBMIT}, responses=refusals(404, 410), summary="An upload, as JSON")
async def read_upload(upload_id: FromPath[str], services: ServicesDep, owner: Owner) -> UploadBody:
    return body_of(await services.uploads.get(upload_id, owner))


@patch(
    "/{upload_id:str}",
    status_code=204,
    opt={AUDIT: BY_HANDLER},
    responses={204: NO_BODY, **refusals(400, 404, 409, 410, 412, 413, 415, 422, 460)},
    request_max_body_size=None,
    summary="Send the next bytes of an upload",
)
async def append_bytes(
    upload_id: FromPath[str],
    request: Request[Any, Any, Any],
    services: ServicesDep,
    owner: Owner,
    offset: Offset = None,
    checksum: Sum = None,
    version: Version = None,
) -> Response[None]:
    """The body is `application/offset+octet-stream`. With `Upload-Checksum` all of it counts or none; without one, what
    came before a broken connection counts. The answer to the last bytes has `Offload-File-Id`, the new document.
    """
    check_version(version)
    if request.headers.get("content-type", "").partition(";")[0].strip().lower() != PIECE_TYPE:
        raise Refused(f"Send the bytes as {PIECE_TYPE}.", field="Content-Type", status_code=415)
    start = number(offset, "Upload-Offset")
    expected = Checksum(checksum) if checksum else None
    upload = await services.uploads.append(upload_id, owner, start, received(request), expected)
    if upload.file_id is not None and start < upload.bytes:
        await log_document(services, request, upload.file_id, upload.upload_id)
    return Response(None, status_code=204, headers=_state(upload))


@delete(
    "/{upload_id:str}",
    opt={AUDIT: "upload.deleted"},
    responses=refusals(404, 410, 412),
    summary="Give an upload up",
)
async def delete_upload(upload_id: FromPath[str], services: ServicesDep, owner: Owner, version: Version = None) -> None:
    check_version(version)
    await services.uploads.delete(upload_id, owner)


def body_of(upload: Upload) -> UploadBody:
    return UploadBody(
        upload_id=upload.upload_id,
        name=upload.name,
        bytes=upload.bytes,
        received=upload.received,
        expires_at=moment(upload.expires_at),
        file_id=upload.file_id,
    )


def moment(at: datetime) -> str:
    return str(rfc3339(int(at.timestamp() * 1000)))


def _state(upload: Upload) -> dict[str, str]:
    headers = {"Upload-Offset": str(upload.received), "Upload-Expires": format_datetime(upload.expires_at, usegmt=True)}
    return headers | ({"Offload-File-Id": upload.file_id} if upload.file_id else {})


@post("/{upload_id:str}", status_code=204, include_in_schema=False, request_max_body_size=None, opt={AUDIT: BY_HANDLER})
async def override_method(
    upload_id: FromPath[str],
    request: Request[Any, Any, Any],
    services: ServicesDep,
    owner: Owner,
    offset: Offset = None,
    checksum: Sum = None,
    version: Version = None,
) -> Response[None]:
    """A PATCH or DELETE of a client whose proxy lets only POST through (`X-HTTP-Method-Override`)."""
    method = request.headers.get("x-http-method-override", "").upper()
    if method == "PATCH":
        answer: Response[None] = await append_bytes.fn(upload_id, request, services, owner, offset, checksum, version)
        return answer
    if method != "DELETE":
        raise MethodNotAllowedException
    await delete_upload.fn(upload_id, services, owner, version)
    return Response(None, status_code=204)


routes = Router(
    "/uploads",
    route_handlers=[
        describe_protocol,
        create_upload,
        read_offset,
        read_upload,
        append_bytes,
        delete_upload,
        override_method,
    ],
    middleware=[TusVersion()],
    tags=["files"],
)
