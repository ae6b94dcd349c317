"""Requests that arrive while a call is under way travel together in the next one."""

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from typing import Generic, TypeVar

T = TypeVar("T")
U = TypeVar("U")

MOST = 100
"""Requests in one call: more would keep the server from everybody else for more than a few milliseconds."""


class Gathered(Generic[T, U]):
    """Calls `send`, which takes requests and answers one for each in order, with one call under way at a time.

    A lone request goes out at once; under load many share a call. What `send` raises, each of its requests raises.
    """

    def __init__(self, send: Callable[[Sequence[T]], Awaitable[Sequence[U]]]) -> None:
        self.send = send
        self.waiting: list[tuple[T, asyncio.Future[U]]] = []
        self.sender: asyncio.Task[None] | None = None
        self.under_way = False

    async def __call__(self, request: T) -> U:
        """The answer to `request`."""
        if self.under_way:
            answer: asyncio.Future[U] = asyncio.get_running_loop().create_future()
            self.waiting.append((request, answer))
            return await answer
        self.under_way = True
        try:
            return (await self.send([request]))[0]
        finally:
            # Held here, for the loop itself keeps no task from the garbage collector.
            self.sender = asyncio.create_task(self._send_waiting()) if self.waiting else None
            self.under_way = self.sender is not None

    async def _send_waiting(self) -> None:
        while self.waiting:
            batch, self.waiting = self.waiting[:MOST], self.waiting[MOST:]
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
