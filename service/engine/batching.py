"""`Batcher`: requests that arrive while a call is under way travel together in the next one."""

import asyncio
import contextvars
from collections.abc import Awaitable, Callable, Sequence
from typing import Generic, TypeVar

T = TypeVar("T")
U = TypeVar("U")

MOST = 100
"""Requests in one call: more would keep the server from other clients for more than a few milliseconds."""


class Batcher(Generic[T, U]):
    """Calls `send` with at most `most` requests, one call after the other; it returns one reply for each, in order.

    An error of `send` is raised for each of its requests.
    """

    def __init__(self, send: Callable[[Sequence[T]], Awaitable[Sequence[U]]], most: int = MOST) -> None:
        self.send = send
        self.most = most
        self.waiting: list[tuple[T, asyncio.Future[U]]] = []
        self.sender: asyncio.Task[None] | None = None
        self.timer: asyncio.TimerHandle | None = None
        self.under_way = False
        # Its sender serves every request, so it must not run in the context (a log's fields, a span) of the first.
        self.context = contextvars.copy_context()

    async def __call__(self, request: T) -> U:
        """The reply to `request`. A lone one is sent immediately."""
        if self.under_way:
            return await self.soon(request)
        self.under_way = True
        try:
            return (await self.send([request]))[0]
        finally:
            self.under_way = False
            if self.waiting:
                self._begin()

    def soon(self, request: T, *, linger_s: float = 0.0) -> "asyncio.Future[U]":
        """The reply to `request` when it comes. It shares a call with all that comes in this turn of the loop, or, with
        `linger_s`, with the next call, which begins in so many seconds at the latest.
        """
        loop = asyncio.get_running_loop()
        reply: asyncio.Future[U] = loop.create_future()
        self.waiting.append((request, reply))
        if not linger_s:
            self.hurry()
        elif self.timer is None and not self.under_way:
            self.timer = loop.call_later(linger_s, self.hurry)
        return reply

    def hurry(self) -> None:
        """Begin with what waits, unless a call is under way."""
        if self.timer is not None:
            self.timer.cancel()
            self.timer = None
        if self.waiting and not self.under_way:
            self._begin()

    async def close(self) -> None:
        """Finish what waits."""
        self.hurry()
        if self.sender is not None:
            await asyncio.gather(self.sender, return_exceptions=True)

    def _begin(self) -> None:
        self.under_way = True
        # Held here, for the loop itself keeps no task from the garbage collector.
        self.sender = asyncio.get_running_loop().create_task(self._send_waiting(), context=self.context)

    async def _send_waiting(self) -> None:
        while self.waiting:
            batch, self.waiting = self.waiting[: self.most], self.waiting[self.most :]
            # A caller that has gone away in the meantime wants nothing done.
            batch = [(request, reply) for request, reply in batch if not reply.done()]
            try:
                results = await self.send([request for request, _ in batch]) if batch else []
            except Exception as error:
                for _, reply in batch:
                    if not reply.done():
                        reply.set_exception(error)
            else:
                for (_, reply), result in zip(batch, results, strict=True):
                    if not reply.done():
                        reply.set_result(result)
        self.under_way = False
