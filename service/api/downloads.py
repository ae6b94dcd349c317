"""Downloads of documents and of artefacts: whole or a single range, under a name that cannot mislead (RFC 9110 §14, 6266,
8187)."""

import re
from collections.abc import AsyncIterator, Awaitable, Callable
from functools import partial
from typing import Any
from urllib.parse import quote

from litestar import Request, Response
from litestar.response import Stream

from service.api.errors import error_response
from service.database import Document
from service.documents.store import DocumentStore, NoSuchFile
from service.engine.store import Job
from service.lib.storage.object_storage import NoSuchObject
from service.services import Services
from settings.amounts import counted

_RANGE = re.compile(r"bytes=\s*(\d*)\s*-\s*(\d*)\s*")

DIGITS_MAX = 18
"""More digits than any file's size has; Python would take its time over thousands."""

Open = Callable[[int, int], Awaitable[AsyncIterator[bytes]]]
"""Opens bytes `start` up to but not including `end`."""


class Unsatisfiable(Exception):
    """The range begins behind the end."""


def byte_range(header: str | None, size: int) -> tuple[int, int] | None:
    """(start, end) of a single range, or None where the whole is to be sent: no header, or one that RFC 9110 ignores.

    Several ranges in one request are answered with the whole, which the RFC allows. Raises Unsatisfiable.
    """
    found = _RANGE.fullmatch(header or "")
    if not found or found.groups() == ("", "") or max(map(len, found.groups())) > DIGITS_MAX:
        return None
    first, last = found.groups()
    if not first:
        if int(last) == 0 or size == 0:
            raise Unsatisfiable
        return max(0, size - int(last)), size
    if last and int(last) < int(first):
        return None
    if int(first) >= size:
        raise Unsatisfiable
    return int(first), min(size, int(last) + 1) if last else size


async def download(
    request: Request[Any, Any, Any], open_bytes: Open, *, size: int, name: str, media_type: str, etag: str
) -> Response[Any]:
    """200, 206, 304 or 416 for a GET or HEAD of `size` bytes. `etag` is without its quotes."""
    headers = {
        "Accept-Ranges": "bytes",
        "ETag": f'"{etag}"',
        "Cache-Control": "private, no-cache",
        "Content-Disposition": attachment(name),
        # Whatever the bytes are, a browser neither guesses at them nor runs them.
        "X-Content-Type-Options": "nosniff",
        "Content-Security-Policy": "default-src 'none'; sandbox",
    }
    if matches(request.headers.get("if-none-match"), etag):
        return Response(b"", status_code=304, headers=headers, media_type=media_type)
    try:
        wanted = byte_range(request.headers.get("range"), size) if _may_range(request, etag) else None
    except Unsatisfiable:
        sentence = f"Range not satisfiable: the file has {counted(size, 'byte')}."
        return error_response(416, sentence, headers={"Content-Range": f"bytes */{size}", "Accept-Ranges": "bytes"})
    start, end = wanted or (0, size)
    headers["Content-Length"] = str(end - start)
    if wanted:
        headers["Content-Range"] = f"bytes {start}-{end - 1}/{size}"
    stream = await open_bytes(start, end) if end > start else _nothing()
    if media_type.startswith("text/"):
        # Litestar names the charset of any text; a second one would make the header invalid.
        media_type = media_type.partition(";")[0]
    return Stream(stream, status_code=206 if wanted else 200, headers=headers, media_type=media_type)


async def download_document(request: Request[Any, Any, Any], files: DocumentStore, document: Document) -> Response[Any]:
    """As `download`, of a document as it was uploaded."""
    return await download(
        request,
        partial(files.content, document),
        size=document.bytes,
        name=document.name,
        media_type=document.media_type,
        etag=document.sha256,
    )


async def download_artefact(
    request: Request[Any, Any, Any], services: Services, job: Job, name: str
) -> Response[Any] | None:
    """The file, or a range of it; None where the job has none of that name, or it was removed."""
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
            etag=f"{job.id}-{job.attempt}-{artefact['bytes']}{artefact.get('revision', '')}",
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


def attachment(name: str) -> str:
    """Content-Disposition for a download: an ASCII fallback, and the whole name for browsers of this century."""
    plain = re.sub(r'[^\x20-\x7e]|["\\%]', "_", name)
    return f"attachment; filename=\"{plain}\"; filename*=UTF-8''{quote(name, safe='')}"


def matches(header: str | None, etag: str) -> bool:
    """True where an If-None-Match names what is there: the client has it."""
    tags = [tag.strip().removeprefix("W/") for tag in (header or "").split(",")]
    return "*" in tags or f'"{etag}"' in tags


def _may_range(request: Request[Any, Any, Any], etag: str) -> bool:
    """If-Range: a range only of the very version the client holds a part of."""
    given = request.headers.get("if-range")
    return given is None or given.strip() == f'"{etag}"'


async def _nothing() -> AsyncIterator[bytes]:
    empty: tuple[bytes, ...] = ()
    for chunk in empty:
        yield chunk
