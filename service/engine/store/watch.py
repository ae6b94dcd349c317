"""Watchers of a job, which hear of each change. One connection a process serves all of its watchers."""

import asyncio
import contextlib
from collections.abc import AsyncIterator

from redis.asyncio.client import PubSub
from redis.exceptions import RedisError

from service.engine.redis.client import Client
from service.engine.store import channels
from service.lib.async_tasks import end, pause
from service.lib.fair_turns import WHOSE

RECONNECT_S = 0.5
"""Pause before listening again after Redis went away: short against a person's patience, long against a busy loop."""


class Watchers:
    """Fans a job's events out to the coroutines that wait for them."""

    def __init__(self, redis: Client) -> None:
        self.redis = redis
        self.waiting: dict[str, set[asyncio.Event]] = {}
        self.pubsub: PubSub | None = None
        self.listener: asyncio.Task[None] | None = None
        self._changing = asyncio.Lock()
        self._subscribed: set[str] = set()

    @contextlib.asynccontextmanager
    async def watch(self, job_id: str) -> AsyncIterator[AsyncIterator[None]]:
        """Within the block, the iterator yields after each change of the job (changes in a burst may fall together)."""
        channel, changed = channels.of_job(job_id), asyncio.Event()
        self.waiting.setdefault(channel, set()).add(changed)

        async def changes() -> AsyncIterator[None]:
            while True:
                await changed.wait()
                changed.clear()
                yield

        try:
            await self._subscribe(channel)
            yield changes()
        finally:
            self.waiting[channel].discard(changed)
            if not self.waiting[channel]:
                del self.waiting[channel]
                with contextlib.suppress(RedisError, OSError):
                    await self._unsubscribe(channel)

    async def _subscribe(self, channel: str) -> None:
        """Listen to a channel. One after the other: watchers that begin together would each open a connection, and keep it."""
        async with self._changing:
            # The connection is the process's: held in the name of the first watcher's owner, it would be one fewer of its turns.
            token = WHOSE.set("")
            try:
                if self.pubsub is None:
                    self.pubsub = self.redis.pubsub(ignore_subscribe_messages=True)
                if channel not in self._subscribed:
                    await self.pubsub.subscribe(channel)
                    self._subscribed.add(channel)
                if self.listener is None or self.listener.done():
                    self.listener = asyncio.create_task(self._listen())
            finally:
                WHOSE.reset(token)

    async def _unsubscribe(self, channel: str) -> None:
        async with self._changing:
            if self.pubsub is not None and channel not in self.waiting and channel in self._subscribed:
                self._subscribed.discard(channel)
                await self.pubsub.unsubscribe(channel)

    async def _listen(self) -> None:
        while True:
            try:
                await self._pass_on()
            except (RedisError, OSError):
                await pause(RECONNECT_S)
                # What was published in the meantime is lost: wake everyone, who then read the record afresh.
                for events in list(self.waiting.values()):
                    for event in events:
                        event.set()

    async def _pass_on(self) -> None:
        assert self.pubsub is not None
        while True:
            if not self.pubsub.subscribed:
                await pause(RECONNECT_S)
                continue
            message = await self.pubsub.get_message(timeout=30)
            if message is not None:
                for event in self.waiting.get(message["channel"].decode(), ()):
                    event.set()

    async def close(self) -> None:
        """Stop listening."""
        if self.listener:
            await end(self.listener)
        if self.pubsub:
            await self.pubsub.aclose()
