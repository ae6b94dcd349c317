"""Noticing that the client of a request has gone away, so that its turn in the inspection child is not wasted."""

import asyncio
from typing import Any

from litestar.enums import ScopeType
from litestar.middleware import ASGIMiddleware
from litestar.types import ASGIApp, Receive, Scope, Send

from service.lib.async_tasks import end
from service.lib.fair_turns import GONE


class ClientGone(ASGIMiddleware):
    """Tells of the end of the connection what waits in service/lib/fair_turns.py, and nothing else: what is being stored is
    stored."""

    scopes = (ScopeType.HTTP,)

    async def handle(self, scope: Scope, receive: Receive, send: Send, next_app: ASGIApp) -> None:
        """Run the rest with GONE set for it."""
        if scope.get("method") not in ("POST", "PUT"):
            await next_app(scope, receive, send)
            return
        connection = _Connection(receive)
        token = GONE.set(connection.gone)
        try:
            await next_app(scope, connection.receive, send)
        finally:
            GONE.reset(token)
            if connection.listening is not None:
                await end(connection.listening)


class _Connection:
    """The messages of a request. Most requests wait for no turn: a task for each, just to listen, would cost them a tenth of
    what they take."""

    def __init__(self, receive: Receive) -> None:
        self._receive = receive
        self._read = asyncio.Event()
        """Set once the body has been read: what comes after it is the end of the connection."""
        self._ended = asyncio.Event()
        self.listening: asyncio.Task[None] | None = None

    async def receive(self) -> Any:
        """The next message."""
        if self.listening is not None:
            await self._ended.wait()
            return {"type": "http.disconnect"}
        message: Any = await self._receive()
        self._see(message)
        return message

    async def gone(self) -> None:
        """Returns once the client has gone away."""
        await self._read.wait()
        if self.listening is None:
            self.listening = asyncio.create_task(self._listen())
        await self._ended.wait()

    async def _listen(self) -> None:
        while not self._ended.is_set():
            self._see(await self._receive())

    def _see(self, message: Any) -> None:
        if message["type"] == "http.disconnect":
            self._ended.set()
        if not message.get("more_body"):
            self._read.set()
