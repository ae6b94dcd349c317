"""`Throttled`: a write that is made at most once in a while, however often it is asked for."""

import asyncio
from collections.abc import Awaitable, Callable

from service.lib.async_tasks import end


class Throttled:
    """Calls `flush` some time after `soon`, once for all that asked in between."""

    def __init__(self, flush: Callable[[], Awaitable[None]], every_s: float) -> None:
        self._flush = flush
        self._every_s = every_s
        self._timer: asyncio.Task[None] | None = None

    def soon(self, after_s: float | None = None) -> None:
        """Flush after `after_s` seconds (default: `every_s`), unless that is already planned."""
        if self._timer is None or self._timer.done():
            self._timer = asyncio.create_task(self._later(self._every_s if after_s is None else after_s))

    async def _later(self, after_s: float) -> None:
        await asyncio.sleep(after_s)
        await self._flush()

    async def close(self) -> None:
        """End the timer; what has not been flushed is the caller's."""
        if self._timer is not None:
            await end(self._timer)
