"""Ending background tasks for certain."""

import asyncio

INSIST_S = 0.5
"""Between two cancellations of a task that has not ended."""


async def end(*tasks: "asyncio.Task[object]") -> None:
    """Cancel tasks and wait until each has ended, whatever it raises.

    One cancellation may not do: redis-py turns one that arrives while it reads into a ConnectionError, which a task that
    survives the loss of Redis takes for just that, and goes on.
    """
    waiting = {task for task in tasks if not task.done()}
    while waiting:
        for task in waiting:
            task.cancel()
        _, waiting = await asyncio.wait(waiting, timeout=INSIST_S)
    await asyncio.gather(*tasks, return_exceptions=True)
