"""GET /api/jobs/{id}/events: the status immediately and at every change, by WebSocket or by server-sent events."""

import asyncio
import zlib
from collections.abc import AsyncGenerator
from typing import Annotated, Any

import msgspec
from litestar import Request, Response, WebSocket, get, websocket
from litestar.exceptions import WebSocketException
from litestar.handlers import send_websocket_stream
from litestar.openapi import ResponseSpec
from litestar.params import FromPath, HeaderParameter
from litestar.response import Stream
from litestar.response.sse import ServerSentEventMessage

from service.api.auth import WS_NOT_FOUND, WS_UNAUTHORIZED, Caller
from service.api.dependencies import CallerDep, ServicesDep
from service.api.errors import error_response
from service.api.jobs import own_job
from service.api.openapi import refusals
from service.engine.job_status import status_object
from service.engine.store import NoSuchJob
from service.lib.languages import current_language
from service.lib.sentences.recogniser import shown
from service.services import Services

CHECK_S = 0.5
"""Interval in which an open stream checks whether its key or ticket still holds: a revocation ends it within a second."""

COMMENT_S = 15.0
"""After this long without a change a comment is sent, so that proxies keep the stream and a lost client is noticed."""

EVENT_STREAM = "text/event-stream"

UNCACHED = {"Cache-Control": "no-store", "X-Accel-Buffering": "no"}
"""nginx would otherwise gather events until its buffer is full."""


class Expired(Exception):
    """The key was revoked, or the key or ticket has expired, while its stream was open."""


@websocket("/{job_id:str}/events", opt={"ticket": True})
async def job_events(
    socket: WebSocket[Any, Any, Any], job_id: FromPath[str], services: ServicesDep, caller: CallerDep
) -> None:
    """Messages of the client are ignored. A browser, which cannot set headers here, sends a ticket as `?ticket=`."""
    await socket.accept()
    try:
        await own_job(services, caller.owner, job_id)
    except NoSuchJob as error:
        await socket.close(WS_NOT_FOUND, shown(str(error))[:100])
        return
    try:
        await send_websocket_stream(
            socket, _changed(services, job_id, caller), mode="text", listen_for_disconnect=True,
            warn_on_data_discard=False, send_handler=lambda to, status: to.send_json(status),
        )  # fmt: skip
    except* Expired:
        raise WebSocketException(detail=shown("The key or ticket no longer holds."), code=WS_UNAUTHORIZED) from None


async def _changed(services: Services, job_id: str, caller: Caller) -> AsyncGenerator[dict[str, Any], None]:
    async for status in statuses(services, job_id, caller):
        if status is not None:
            yield status


@get(
    "/{job_id:str}/events",
    opt={"ticket": True},
    responses={
        200: ResponseSpec(str, generate_examples=False, description="A stream of events.", media_type=EVENT_STREAM),
        204: ResponseSpec(None, generate_examples=False, description="Ended, and the client has seen the end."),
        **refusals(404, 406),
    },
    summary="Follow a job by server-sent events",
)
async def stream_events(
    job_id: FromPath[str],
    request: Request[Any, Any, Any],
    services: ServicesDep,
    caller: CallerDep,
    last_event_id: Annotated[str | None, HeaderParameter(name="Last-Event-ID")] = None,
) -> Response[Any]:
    """One event for each status, its `data` the status object. The stream ends after a terminal one.

    A client that reconnects with Last-Event-ID is sent only what it has not seen; 204 stops an EventSource for good.
    """
    if not request.accept.accepts(EVENT_STREAM):
        return error_response(406, f"Events come as {EVENT_STREAM}, or over a WebSocket at the same address.")
    job = await own_job(services, caller.owner, job_id)
    if job.state.terminal and last_event_id == event_id(status_object(job)):
        return Response(b"", status_code=204)
    stream = _events(services, job_id, caller, last_event_id)
    spoken = {"Vary": "Accept-Language", "Content-Language": current_language()}
    return Stream(stream, media_type=EVENT_STREAM, headers=UNCACHED | spoken)


async def _events(services: Services, job_id: str, caller: Caller, seen: str | None) -> AsyncGenerator[bytes, None]:
    yield ServerSentEventMessage(data=None, retry=1000).encode()
    silent_s = 0.0
    try:
        async for status in statuses(services, job_id, caller):
            silent_s += CHECK_S
            if status is not None and (current := event_id(status)) != seen:
                seen, silent_s = current, 0.0
                data = msgspec.json.encode(status)
                yield ServerSentEventMessage(data=data, id=current, event="status").encode()
            elif silent_s >= COMMENT_S:
                silent_s = 0.0
                yield ServerSentEventMessage(data=None, comment="no change").encode()
    except Expired:
        yield ServerSentEventMessage(data=shown("The key or ticket no longer holds."), event="expired").encode()


async def statuses(services: Services, job_id: str, caller: Caller) -> AsyncGenerator[dict[str, Any] | None, None]:
    """The status now and whenever it has changed, until the job has ended or is gone; None every CHECK_S without one.

    Raises Expired once the caller's key or ticket no longer holds.
    """
    async with services.store.watch(job_id) as changes:
        last: str | None = None
        while (job := await services.store.get(job_id)) is not None:
            status = status_object(job)
            if (current := event_id(status)) != last:
                last = current
                yield status
            if job.state.terminal:
                return
            change = asyncio.ensure_future(anext(changes))
            try:
                while not (await asyncio.wait({change}, timeout=CHECK_S))[0]:
                    if not await caller.still_valid(services):
                        raise Expired
                    yield None
            finally:
                change.cancel()


def event_id(status: dict[str, Any]) -> str:
    """A short digest of a status that changes only with what a client acts on: the estimate moves by the clock alone."""
    sent = {name: value for name, value in status.items() if name != "estimated_completion"}
    return f"{zlib.crc32(msgspec.json.encode(sent, order='deterministic')):08x}"


handlers = [job_events, stream_events]
