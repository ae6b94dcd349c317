"""Requests that arrive while a call is under way travel together in the next one."""

import asyncio
import contextvars
from collections.abc import Awaitable, Callable, Sequence
from typing import Generic, TypeVar

T = TypeVar("T")
U = TypeVar("U")

MOST = 100
"""Requests in one call: more would keep the server from everybody else for more than a few milliseconds."""


class Batcher(Generic[T, U]):
    """Calls `send`, which takes at most `most` requests and answers one for each in order, one call after the other.

    What `send` raises, each of its requests raises.
    """

    def __init__(self, send: Callable[[Sequence[T]], Awaitable[Sequence[U]]], most: int = MOST) -> None:
        self.send = send
        self.most = most
        self.waiting: list[tuple[T, asyncio.Future[U]]] = []
        self.sender: asyncio.Task[None] | None = None
        self.under_way = False
        # Its sender serves every request, so it must not run in the context (a log's fields, a span) of the first.
        self.context = contextvars.copy_context()

    async def __call__(self, request: T) -> U:
        """The answer to `request`. A lone one goes out at once."""
        if self.under_way:
            return await self.soon(request)
        self.under_way = True
        try:
            return (await self.send([request]))[0]
        finally:
            self.under_way = False
            if self.waiting:
                self._begin()

    def soon(self, request: T) -> "asyncio.Future[U]":
        """Will be the answer to `request`, which shares a call with whatever else comes in this turn of the loop."""
        answer: asyncio.Future[U] = asyncio.get_running_loop().create_future()
        self.waiting.append((request, answer))
        if not self.under_way:
            self._begin()
        return answer

    def _begin(self) -> None:
        self.under_way = True
        # Held here, for the loop itself keeps no task from the garbage collector.
        self.sender = asyncio.get_running_loop().create_task(self._send_waiting(), context=self.context)

    async def _send_waiting(self) -> None:
        while self.waiting:
            batch, self.waiting = self.waiting[: self.most], self.waiting[self.most :]
            # Whoever has gone away meanwhile wants nothing done.
            batch = [(request, answer) for request, answer in batch if not answer.done()]
            try:
                results = await self.send([request for request, _ in batch]) if batch else []
            except Exception as error:
                for _, answer in batch:
                    if not answer.done():
                        answer.set_exception(error)
            else:
                for (_, answer), result in zip(batch, results, strict=True):
                    if not answer.done():
                        answer.set_result(result)
        self.under_way = False
