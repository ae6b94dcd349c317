"""Noticing that the client of a request has gone away, so that its turn in the inspection child is not wasted."""

import asyncio
from typing import Any

from litestar.enums import ScopeType
from litestar.middleware import ASGIMiddleware
from litestar.types import ASGIApp, Receive, Scope, Send

from service.lib.async_tasks import end
from service.lib.fair_turns import GONE


class ClientGone(ASGIMiddleware):
    """Listens for the end of the connection once the body has been read. Only what waits in service/lib/fair_turns.py is
    dropped: what is being stored is stored."""

    scopes = (ScopeType.HTTP,)

    async def handle(self, scope: Scope, receive: Receive, send: Send, next_app: ASGIApp) -> None:
        """Run the rest with GONE set for it."""
        if scope.get("method") not in ("POST", "PUT"):
            await next_app(scope, receive, send)
            return
        gone = asyncio.Event()
        listening: asyncio.Task[None] | None = None

        async def listen() -> None:
            message: Any = {"type": ""}
            while message["type"] != "http.disconnect":
                message = await receive()
            gone.set()

        async def watched() -> Any:
            nonlocal listening
            if listening is not None:
                await gone.wait()
                return {"type": "http.disconnect"}
            message: Any = await receive()
            if message["type"] == "http.disconnect":
                gone.set()
            elif not message.get("more_body"):
                listening = asyncio.create_task(listen())
            return message

        token = GONE.set(gone)
        try:
            await next_app(scope, watched, send)
        finally:
            GONE.reset(token)
            if listening is not None:
                await end(listening)
