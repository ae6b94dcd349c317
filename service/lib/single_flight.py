"""One reading for all who ask at the same time: a thousand requests, or twenty open pages, cost what one costs."""

import asyncio
import time
from collections import OrderedDict
from collections.abc import Awaitable, Callable
from typing import Generic, TypeVar

K = TypeVar("K")
T = TypeVar("T")


class Shared(Generic[T]):
    """The result of `compute`, at most `fresh_s` seconds old. Who asks during a computation waits for that one."""

    def __init__(self, compute: Callable[[], Awaitable[T]], *, fresh_s: float) -> None:
        self._compute = compute
        self._fresh_s = fresh_s
        self._task: asyncio.Task[T] | None = None
        self._done_at = 0.0

    async def __call__(self) -> T:
        if self._task is None or (self._task.done() and self._stale(self._task)):
            self._task = asyncio.create_task(self._run())
        # Shielded: a client that goes away must not cancel what the others wait for.
        return await asyncio.shield(self._task)

    def _stale(self, task: "asyncio.Task[T]") -> bool:
        return task.cancelled() or task.exception() is not None or time.monotonic() - self._done_at >= self._fresh_s

    async def _run(self) -> T:
        result = await self._compute()
        self._done_at = time.monotonic()
        return result


class SharedByKey(Generic[K, T]):
    """Likewise the result of `compute` for each key, of those that were asked for last, `most` at most.

    A None is shared by those who wait for it, and not kept: what is asked for by strangers cannot fill the memory.
    """

    def __init__(self, compute: Callable[[K], Awaitable[T]], *, fresh_s: float, most: int) -> None:
        self._compute = compute
        self._fresh_s = fresh_s
        self._most = most
        self._shared: OrderedDict[K, Shared[T]] = OrderedDict()

    async def __call__(self, key: K) -> T:
        shared = self._shared.get(key)
        if shared is None:
            shared = self._shared[key] = Shared(lambda: self._compute(key), fresh_s=self._fresh_s)
            while len(self._shared) > self._most:
                self._shared.popitem(last=False)
        else:
            self._shared.move_to_end(key)
        result = await shared()
        if result is None and self._shared.get(key) is shared:
            del self._shared[key]
        return result

    def forget(self, key: K) -> None:
        """Forget one: who asks for it from now on waits for a reading that begins from now on."""
        self._shared.pop(key, None)

    def clear(self) -> None:
        """Forget all."""
        self._shared.clear()
