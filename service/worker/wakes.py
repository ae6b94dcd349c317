"""What wakes a worker's claim: a word on the queue's channel, a job of its own that ended, or the time."""

import asyncio
import contextlib
from collections.abc import Callable

from redis.exceptions import RedisError

from service.background import pause
from service.redis import Client
from service.store import keys

LISTEN_S = 30.0
"""One read of the channel waits this long; then the connection is looked after, and read again."""


class Alarm:
    """An event to wait for with a time limit, and without the task that `asyncio.wait_for` makes for each wait."""

    def __init__(self) -> None:
        self.rung = False
        self.waiter: asyncio.Future[None] | None = None

    def set(self) -> None:
        """End the wait, the present one or the next."""
        self.rung = True
        self._release()

    def clear(self) -> None:
        self.rung = False

    async def wait(self, limit_s: float) -> None:
        """Return when it is set, or after `limit_s`."""
        if self.rung:
            return
        loop = asyncio.get_running_loop()
        self.waiter = loop.create_future()
        timer = loop.call_later(limit_s, self._release)
        try:
            await self.waiter
        finally:
            timer.cancel()
            self.waiter = None

    def _release(self) -> None:
        if self.waiter is not None and not self.waiter.done():
            self.waiter.set_result(None)


async def listen(redis: Client, queue: str, alarm: Alarm, cancel: Callable[[str], None]) -> None:
    """Ring `alarm` when work arrives, and call `cancel` with a job's id when somebody asks for it. Ends when cancelled."""
    while True:
        pubsub = redis.pubsub(ignore_subscribe_messages=True)
        try:
            await pubsub.subscribe(keys.wake(queue))
            alarm.set()
            while True:
                message = await pubsub.get_message(timeout=LISTEN_S)
                if message is not None:
                    word, _, job_id = message["data"].decode().partition(" ")
                    if word == "cancel":
                        cancel(job_id)
                    alarm.set()
        except (RedisError, OSError):
            await pause(0.2)
        finally:
            with contextlib.suppress(RedisError, OSError):
                await pubsub.aclose()
