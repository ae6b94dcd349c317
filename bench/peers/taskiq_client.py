"""taskiq's no-op job, its long one and its client, for whichever broker carries them."""

import asyncio
import time

from taskiq import AsyncBroker

from bench.harness.stamps import BEGUN, ENDED, stamp


async def noop(enqueued_ns: int) -> None:
    """Says when it ran."""
    stamp(enqueued_ns)


async def busy(seconds: float) -> None:
    """Says when it began, is busy for a while, and says when it ended."""
    stamp(BEGUN)
    await asyncio.sleep(seconds)
    stamp(ENDED)


class Client:
    """The two tasks registered with `broker`, and what enqueues them."""

    def __init__(self, broker: AsyncBroker) -> None:
        self.broker = broker
        self.noop = broker.register_task(noop, "noop")
        self.busy = broker.register_task(busy, "busy")

    async def pickup(self, count: int, pause_s: float) -> None:
        """Enqueue `count` jobs one by one, each to an idle worker."""
        await self.broker.startup()
        for _ in range(count):
            await self.noop.kiq(time.monotonic_ns())
            await asyncio.sleep(pause_s)
        await self.broker.shutdown()

    async def fill(self, count: int, *, bulk: bool) -> float:
        """Enqueue `count` jobs. Answers seconds; taskiq has no bulk form."""
        await self.broker.startup()
        begun_s = time.perf_counter()
        for _ in range(count):
            await self.noop.kiq(0)
        spent_s = time.perf_counter() - begun_s
        await self.broker.shutdown()
        return spent_s

    async def long(self, seconds: float) -> None:
        """Enqueue one job that is busy for `seconds`."""
        await self.broker.startup()
        await self.busy.kiq(seconds)
        await self.broker.shutdown()
