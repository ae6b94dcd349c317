"""`Listener`: wakes a worker by its channels, for work, for a job that is dispatched to it, and for commands."""

import asyncio
import contextlib
import time
from collections.abc import Callable
from typing import Any

from redis.exceptions import RedisError

from service.engine.redis.command_connection import RawConnection
from service.engine.store import Job, channels
from service.engine.store.records import dispatched_job
from service.lib.async_tasks import pause

LISTEN_S = 5.0
"""Interval of PINGs. Where nothing came in that time the connection is given up."""

CHANNEL_ALIVE_S = 2.5
"""A channel that has been silent for so long, though each poll sends a message on it every second, is dead."""


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
    """Reads a worker's channels. Sets `alarm` when work arrives and calls `cancel` with the id of a job to stop, `start` with
    a job that was dispatched to the worker, and `command` with one of channels.COMMANDS."""

    def __init__(
        self,
        url: str,
        queue: str,
        worker: str,
        alarm: Alarm,
        cancel: Callable[[str], None],
        start: Callable[[Job], None],
        command: Callable[[bytes], None],
    ) -> None:
        self.url = url
        self.queue, self.own = channels.of_queue(queue).encode(), channels.of_worker(worker).encode()
        self.alarm, self.cancel, self.start, self.command = alarm, cancel, start, command
        self.declined = asyncio.Event()
        self.received_s = -CHANNEL_ALIVE_S
        self.alive = False

    @property
    def channel_alive(self) -> bool:
        """True where the worker's own channel has brought anything lately."""
        return time.monotonic() - self.received_s < CHANNEL_ALIVE_S

    async def listen_forever(self) -> None:
        """Listen until cancelled, through any loss of the connection."""
        while True:
            with contextlib.suppress(RedisError, OSError):
                connection = await RawConnection.open(self.url, self._received)
                try:
                    connection.send("SUBSCRIBE", self.queue, self.own)
                    await self._until_silent(connection)
                finally:
                    connection.cut()
            self.received_s = -CHANNEL_ALIVE_S
            await pause(0.2)

    async def _until_silent(self, connection: RawConnection) -> None:
        self.alive = True
        while self.alive and not connection.lost.done():
            self.alive = False
            connection.send("PING")
            await asyncio.wait([connection.lost], timeout=LISTEN_S)

    def _received(self, message: Any) -> None:
        if not isinstance(message, list):
            # An error, or a reply to PING of a server that has refused the subscription: the connection is soon given up.
            return
        self.alive = True
        kind = message[0]
        if kind == b"message":
            self._read(message[1], message[2])
        elif kind == b"subscribe":
            # What was published before that may have been missed.
            self.alarm.set()

    def _read(self, channel: bytes, data: bytes) -> None:
        if channel == self.own:
            self.received_s = time.monotonic()
            if data == channels.NO_MORE:
                self.declined.set()
            elif data in channels.COMMANDS:
                self.command(data)
            elif data != channels.ALIVE:
                self.start(dispatched_job(data))
            return
        word, _, job_id = data.decode().partition(" ")
        if word == "cancel":
            self.cancel(job_id)
        self.alarm.set()
