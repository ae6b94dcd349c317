"""POST /api/files, and one file's metadata, bytes and removal."""

from collections.abc import AsyncIterator
from typing import Annotated, Any

from litestar import Request, Response, Router, delete, get, post, route
from litestar.enums import HttpMethod
from litestar.params import FromPath, FromQuery, QueryParameter

from service.api.audit_middleware import AUDIT
from service.api.dependencies import CallerDep, Owner, ServicesDep
from service.api.downloads import download_document
from service.api.drain_body import READ
from service.api.file_bodies import file_body, with_reading
from service.api.openapi import BINARY, RANGED, UploadOperation, refusals
from service.api.schemas import FileBody, FileList
from service.api.upload_form import BadForm, open_upload_form
from service.database.api_keys import Scope
from service.documents.same_bytes import documents_of
from tasks.pdf_ocr import pdf_ocr
from tasks.sdk.errors import Refused

FORM_OVERHEAD_BYTES = 1 << 20
"""Bytes of a form in addition to its file, before the announced length alone says that the file is too large."""

FOUND_MAX = 20
"""Documents of the same bytes in one answer."""


@post(
    "/",
    opt={AUDIT: "file.uploaded"},
    operation_class=UploadOperation,
    responses=refusals(400, 413, 415, 422),
    # The limit is counted on the file as it arrives, with the sentence and the status of our own.
    request_max_body_size=None,
    summary="Upload a document",
)
async def upload_file(
    request: Request[Any, Any, Any], services: ServicesDep, owner: Owner, reuse: FromQuery[bool] = False
) -> FileBody:
    """A PDF, an image or a video, whose kind is told by its content, as the field `file` of a multipart/form-data body.

    The same bytes of an owner are stored once. With `reuse` the answer is the document that has them already, under its
    own name, where there is one. `read_by` names the job that has read these bytes already.
    """
    limit = services.settings.max_upload_bytes
    if (request.content_length or 0) > limit + FORM_OVERHEAD_BYTES:
        raise Refused(f"The file is too large: the limit is {limit:,} bytes.", field="file", status_code=413)
    announced = (request.content_length or 0) - FORM_OVERHEAD_BYTES
    form = await open_upload_form(request.headers, received(request))
    files = services.files
    document = await files.upload(form.chunks(), owner=owner, name=form.name, announced=announced, reuse=reuse)
    return await with_reading(services, document, new=not reuse)


async def received(request: Request[Any, Any, Any]) -> AsyncIterator[bytes]:
    """The body as it arrives. Raises BadForm when the sender goes away before its end."""
    more = True
    while more:
        message: Any = await request.receive()
        if message["type"] != "http.request":
            raise BadForm("The connection ended before the upload did.")
        more = message.get("more_body", False)
        # Noted before the last chunk is passed on: a handler that refuses it must not wait for another.
        request.scope["state"][READ] = not more
        if message["body"]:
            yield message["body"]


@get("/{file_id:str}", responses=refusals(404), summary="Metadata of a document")
async def read_file(file_id: FromPath[str], services: ServicesDep, caller: CallerDep) -> FileBody:
    document = await services.files.metadata(file_id, caller.owner)
    # A key for other job types learns of no reading.
    return await with_reading(services, document) if caller.may_meet(pdf_ocr.name) else file_body(document)


@route(
    "/{file_id:str}/content",
    http_method=[HttpMethod.GET, HttpMethod.HEAD],
    responses={200: BINARY, **RANGED, **refusals(404, 409, 416)},
    summary="The bytes of a document, or a range of them",
)
async def read_content(
    file_id: FromPath[str], request: Request[Any, Any, Any], services: ServicesDep, owner: Owner
) -> Response[Any]:
    document = await services.files.describe(file_id, owner)
    return await download_document(request, services.files, document)


@delete(
    "/{file_id:str}",
    opt={AUDIT: "file.deleted", "scope": Scope.OPERATE},
    responses=refusals(404),
    summary="Delete a document and its bytes",
)
async def delete_file(file_id: FromPath[str], services: ServicesDep, owner: Owner) -> None:
    await services.files.delete(file_id, owner)


@get("/", responses=refusals(400), summary="Documents of certain bytes")
async def find_files(
    services: ServicesDep,
    owner: Owner,
    sha256: Annotated[str, QueryParameter(pattern="^[0-9a-f]{64}$", description="In hexadecimal.")],
) -> FileList:
    """The owner's documents with this SHA-256, oldest first, at most 20: ask before sending what may be here already."""
    found = await documents_of(services.database, owner, sha256, FOUND_MAX)
    if not found:
        return FileList([])
    read_by = (await with_reading(services, found[0])).read_by
    return FileList([file_body(document, read_by) for document in found])


routes = Router(
    "/files", route_handlers=[upload_file, find_files, read_file, read_content, delete_file], tags=["files"]
)
