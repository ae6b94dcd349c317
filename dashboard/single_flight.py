"""One computation for everybody who asks at the same time: twenty open pages cost what one costs."""

import asyncio
import time
from collections.abc import Awaitable, Callable
from typing import Generic, TypeVar

T = TypeVar("T")


class Shared(Generic[T]):
    """The answer of `compute`, at most `fresh_s` seconds old. Who asks during a computation waits for that one."""

    def __init__(self, compute: Callable[[], Awaitable[T]], *, fresh_s: float) -> None:
        self._compute = compute
        self._fresh_s = fresh_s
        self._task: asyncio.Task[T] | None = None
        self._done_at = 0.0

    async def __call__(self) -> T:
        if self._task is None or (self._task.done() and self._stale(self._task)):
            self._task = asyncio.create_task(self._run())
        # Shielded: a browser that goes away must not cancel what the others wait for.
        return await asyncio.shield(self._task)

    def _stale(self, task: "asyncio.Task[T]") -> bool:
        return task.cancelled() or task.exception() is not None or time.monotonic() - self._done_at >= self._fresh_s

    async def _run(self) -> T:
        answer = await self._compute()
        self._done_at = time.monotonic()
        return answer
