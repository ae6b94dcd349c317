"""`uvicorn --factory tests.chaos.campaign.web:create_app`: the web application, which can be made to die before an answer."""

import os
import signal
from pathlib import Path
from typing import Any

import tests.chaos.campaign.jobs  # noqa: F401  # declares the job before its route is made
from dashboard.app import create_app as create_real_app

FUSE = Path(os.environ["CHAOS_FUSE"])
"""While this file is there, the next 202 is not sent: the process kills itself in its place, with the job in the queue."""


def create_app() -> Any:
    """The app, with the fuse between it and the server."""
    app = create_real_app()

    async def fused(scope: Any, receive: Any, send: Any) -> None:
        async def send_or_die(message: Any) -> None:
            accepted = message["type"] == "http.response.start" and message["status"] == 202
            if accepted and scope["path"] == "/api/jobs/chaos-work" and FUSE.exists():
                FUSE.unlink()
                os.kill(os.getpid(), signal.SIGKILL)
            await send(message)

        await app(scope, receive, send_or_die)

    return fused
