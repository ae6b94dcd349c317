"""What wakes a worker: a word on the queue's channel, a job that is handed to it, one of its own that ended, or the time."""

import asyncio
import contextlib
import time
from collections.abc import Callable

from redis.exceptions import RedisError

from service.background import pause
from service.redis import Client
from service.store import Job, keys
from service.store.record import handed_job

LISTEN_S = 30.0
"""One read of the channel waits this long; then the connection is looked after, and read again."""

HEARD_S = 2.5
"""A channel that has been silent for so long, though it is spoken on every second, reaches nobody."""


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


class Listener:
    """Hears what a worker is told: rings `alarm` when work arrives, calls `cancel` with the id of a job that somebody
    wants stopped, `take` with a job that was leased to it, and `obey` with an order (keys.ORDERS)."""

    def __init__(
        self,
        redis: Client,
        queue: str,
        worker: str,
        alarm: Alarm,
        cancel: Callable[[str], None],
        take: Callable[[Job], None],
        obey: Callable[[bytes], None],
    ) -> None:
        self.redis = redis
        self.queue, self.own = keys.wake(queue), keys.hand(worker)
        self.alarm, self.cancel, self.take, self.obey = alarm, cancel, take, obey
        self.last_handed = asyncio.Event()
        self.heard_s = -HEARD_S

    @property
    def reached(self) -> bool:
        """Whether the worker's own channel has brought anything lately."""
        return time.monotonic() - self.heard_s < HEARD_S

    async def listen_forever(self) -> None:
        """Listen until cancelled, through any loss of the connection."""
        while True:
            pubsub = self.redis.pubsub(ignore_subscribe_messages=True)
            try:
                await pubsub.subscribe(self.queue, self.own)
                self.alarm.set()
                while True:
                    message = await pubsub.get_message(timeout=LISTEN_S)
                    if message is not None:
                        self._hear(message["channel"].decode(), message["data"])
            except (RedisError, OSError):
                self.heard_s = -HEARD_S
                await pause(0.2)
            finally:
                with contextlib.suppress(RedisError, OSError):
                    await pubsub.aclose()

    def _hear(self, channel: str, data: bytes) -> None:
        if channel == self.own:
            self.heard_s = time.monotonic()
            if data == keys.LAST:
                self.last_handed.set()
            elif data in keys.ORDERS:
                self.obey(data)
            elif data != keys.HERE:
                self.take(handed_job(data))
            return
        word, _, job_id = data.decode().partition(" ")
        if word == "cancel":
            self.cancel(job_id)
        self.alarm.set()
