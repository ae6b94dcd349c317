"""Background tasks that survive the loss of Redis, and their certain end.

redis-py turns a cancellation that arrives while it reads into a ConnectionError, which such a task takes for just that.
"""

import asyncio

INSIST_S = 0.5
"""Between two cancellations of a task that has not ended."""


async def pause(seconds: float) -> None:
    """Sleep between two rounds of a task; raise CancelledError where it has been asked to end in the round before."""
    task = asyncio.current_task()
    if task is not None and task.cancelling():
        raise asyncio.CancelledError
    await asyncio.sleep(seconds)


async def end(*tasks: "asyncio.Task[object]") -> None:
    """Cancel tasks and wait until each has ended, whatever it raises.

    One cancellation may not do, as said above; a task that goes on all the same is cancelled again.
    """
    waiting = {task for task in tasks if not task.done()}
    while waiting:
        for task in waiting:
            task.cancel()
        _, waiting = await asyncio.wait(waiting, timeout=INSIST_S)
    await asyncio.gather(*tasks, return_exceptions=True)
