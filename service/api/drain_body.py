"""Hearing a sender out before telling it no.

A server that answers and closes while the request is still arriving resets the connection, and a client that sends all
of its body before it reads (most do) never sees the answer. See RFC 9112 §9.6.
"""

import asyncio
import contextlib
from typing import Any

from litestar import Response
from litestar.response.base import ASGIResponse
from litestar.types import Empty, Receive, Scope, Send
from litestar.utils.scope.state import ScopeState

DRAIN_MAX_BYTES = 512 << 20
"""Read and thrown away at most: more than twice the largest upload by default. No client sends more by mistake."""

DRAIN_MAX_S = 30
"""A sender slower than this may miss the answer."""

READ = "body_read"
"""The key of the connection's state under which a handler that streams its body notes that all of it has arrived."""


class DrainingResponse(Response[Any]):
    """An answer that waits until the request's body has arrived, where it has not been read yet."""

    def to_asgi_response(self, *args: Any, **kwargs: Any) -> ASGIResponse:
        return _Draining(super().to_asgi_response(*args, **kwargs))


class _Draining(ASGIResponse):
    __slots__ = ("answer",)

    def __init__(self, answer: ASGIResponse) -> None:
        self.answer = answer

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if _unread(scope):
            await _drain(receive)
        await self.answer(scope, receive, send)


def _unread(scope: Any) -> bool:
    names = {name for name, value in scope["headers"] if value != b"0"}
    announced = b"transfer-encoding" in names or b"content-length" in names
    return announced and not scope["state"].get(READ) and ScopeState.from_scope(scope).body is Empty


async def _drain(receive: Receive) -> None:
    received = 0
    with contextlib.suppress(TimeoutError):
        async with asyncio.timeout(DRAIN_MAX_S):
            while received < DRAIN_MAX_BYTES:
                message: Any = await receive()
                received += len(message.get("body", b""))
                if message["type"] != "http.request" or not message.get("more_body"):
                    return
