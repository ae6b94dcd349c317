"""A write is made once for all that asked for it in a while."""

import asyncio

from service.lib.throttle import Throttled
from tests.waiting import wait_until_async


async def test_many_requests_are_one_flush_and_a_later_one_another() -> None:
    flushed: list[int] = []

    async def flush() -> None:
        flushed.append(len(flushed))

    throttled = Throttled(flush, 0.01)
    for _ in range(100):
        throttled.soon()
    await wait_until_async(lambda: flushed)
    assert flushed == [0]
    throttled.soon()
    await wait_until_async(lambda: len(flushed) == 2)
    await throttled.close()


async def test_closing_ends_the_timer_without_a_flush() -> None:
    flushed = asyncio.Event()

    async def flush() -> None:
        flushed.set()

    throttled = Throttled(flush, 3600)
    throttled.soon()
    throttled.soon(7200)
    timer = throttled._timer
    await throttled.close()
    assert timer is not None and timer.done() and not flushed.is_set()
