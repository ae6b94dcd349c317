"""Background tasks end when they are told to, even where a library hides the cancellation from them."""

import asyncio

from service.lib.async_tasks import end, pause


async def test_a_hidden_cancellation_is_heeded_in_the_next_pause() -> None:
    hidden = 0

    async def survives() -> None:
        nonlocal hidden
        while True:
            try:
                await asyncio.sleep(60)
            except asyncio.CancelledError:
                hidden += 1
            await pause(60)

    task = asyncio.create_task(survives())
    await asyncio.sleep(0)
    await end(task)
    assert task.cancelled() and hidden == 1


async def test_one_that_hides_it_more_than_once_is_told_again() -> None:
    hidden = 0

    async def deaf() -> None:
        nonlocal hidden
        while hidden < 2:
            try:
                await asyncio.sleep(60)
            except asyncio.CancelledError:
                hidden += 1

    task = asyncio.create_task(deaf())
    await asyncio.sleep(0)
    await end(task)
    assert task.done() and hidden == 2
