"""WebSocket /api/jobs/{id}/events: the status at once and at every change, closed 1000 after a terminal state."""

from collections.abc import AsyncGenerator
from typing import Any

from litestar import WebSocket, websocket
from litestar.handlers import send_websocket_stream
from litestar.params import FromPath

from service.api.dependencies import Owner, Wired
from service.api.job_status import status_object
from service.api.jobs import own_job
from service.engine.store import NoSuchJob
from service.services import Services

WS_NOT_FOUND = 4404
"""Close code where there is no such job, or not any more; after HTTP's 404."""


@websocket("/{job_id:str}/events")
async def job_events(socket: WebSocket[Any, Any, Any], job_id: FromPath[str], services: Wired, owner: Owner) -> None:
    """What the client sends is ignored. A browser, which cannot set headers here, gives its key as `?token=`."""
    await socket.accept()
    try:
        await own_job(services, owner, job_id)
    except NoSuchJob as error:
        await socket.close(WS_NOT_FOUND, str(error)[:100])
        return
    await send_websocket_stream(
        socket, _statuses(services, job_id), mode="text", listen_for_disconnect=True, warn_on_data_discard=False,
        send_handler=lambda to, status: to.send_json(status),
    )  # fmt: skip


async def _statuses(services: Services, job_id: str) -> AsyncGenerator[dict[str, Any], None]:
    """The status now and whenever it has changed, until the job has ended or is gone."""
    async with services.store.watch(job_id) as changes:
        last = None
        while (job := await services.store.get(job_id)) is not None:
            status = status_object(job)
            if status != last:
                yield status
                last = status
            if job.state.terminal:
                return
            await anext(changes)
