"""The queue server behind Sentinels: where the primary is, and leaving one that is being replaced.

Sentinel promotes a replica at once and demotes the old primary some ten seconds later. A client that stays connected to the old
one in between writes what will never be read. So connections are made to the address that the Sentinels name, only
where that server says of itself that it is the primary, and they are cut as soon as a Sentinel begins a failover.
"""

import asyncio
import contextlib
import time
from collections.abc import Sequence
from typing import Any, NamedTuple, TypeAlias
from weakref import WeakKeyDictionary, WeakSet

import structlog
from redis.asyncio.connection import parse_url
from redis.exceptions import ConnectionError as RedisConnectionError
from redis.exceptions import RedisError

from service.engine.redis.connections import client_of
from service.lib.async_tasks import end, pause
from settings.urls import SentinelUrl, sentinel_url

log = structlog.get_logger("offload")

ASK_TIMEOUT_S = 1.0
"""A Sentinel that does not answer in this time is left out."""

GRACE_S = 0.3
"""Once a majority has answered, the others get so long: one machine that is down must not delay every connection."""

HOLD_S = 2.0
"""After a failover has been published, a view without it counts as too old for so long."""

POLL_S = 1.0
"""Interval in which the Sentinels are asked though none has published anything: a subscription may be half dead."""

BEGUN = ("+elected-leader", "+failover-state-select-slave", "+selected-slave", "+failover-state-send-slaveof-noone")
"""Published before a replica is promoted. A tenth of a second lies between each, and the promotion follows the last."""

OVER = ("+switch-master", "+failover-end", "+config-update-from", "-failover-abort-no-good-slave")
CHANNELS = (*BEGUN, *OVER)

Client: TypeAlias = Any
Address = tuple[str, int]


class View(NamedTuple):
    """Knowledge of one Sentinel. `primary` is None while it replaces the one at `old`."""

    epoch: int
    old: Address
    primary: Address | None


class Primary:
    """The primary of one service, for all connections that this process has to it."""

    def __init__(self, url: SentinelUrl) -> None:
        self.service = url.service
        options = parse_url(url.server)
        self.server_options = {name: value for name, value in options.items() if name not in ("host", "port")}
        # Sentinels have users of their own, and seldom a password.
        sentinel_options: dict[str, Any] = {
            name: self.server_options.pop(f"sentinel_{name}", None) for name in ("username", "password")
        }
        sentinel_options |= {name: value for name, value in self.server_options.items() if name.startswith("ssl_")}
        sentinel_options |= {"socket_timeout": ASK_TIMEOUT_S, "socket_connect_timeout": ASK_TIMEOUT_S}
        secure = url.server.startswith("rediss:")
        self.sentinels: list[Client] = [
            client_of(host, port, secure=secure, **sentinel_options) for host, port in url.sentinels
        ]
        self.connections: WeakSet[Any] = WeakSet()
        self.replaced: Address | None = None
        """The primary that a failover is about, from its beginning until the Sentinels name another."""
        self.epoch = 0
        """Newest configuration that was seen: a Sentinel that knows only older ones is behind."""
        self._replaced_s = 0.0
        self._watchers: list[asyncio.Task[None]] = []
        self._changed = asyncio.Event()

    async def address(self) -> Address:
        """Host and port of the primary. Raises redis-py's ConnectionError where no Sentinel names one now."""
        self._watch()
        view = await self._poll()
        if view.primary is None:
            raise RedisConnectionError(f"the Sentinels are replacing the primary of {self.service}")
        return view.primary

    def joined(self, connection: Any) -> None:
        """Cut this connection too when its server is replaced. Raises redis-py's ConnectionError where it already is."""
        if (connection.host, connection.port) == self.replaced:
            raise RedisConnectionError(f"the Sentinels are replacing the primary of {self.service}")
        self.connections.add(connection)

    async def _poll(self) -> View:
        """The newest view among those of the Sentinels that answer. Cuts connections to every other server."""
        views = await self._views()
        self.epoch = max(self.epoch, *(view.epoch for view in views), 0)
        current = [view for view in views if view.epoch == self.epoch]
        if not current:
            raise RedisConnectionError(f"no Sentinel of {self.service} answers")
        # The leader of a failover knows first.
        view = next((one for one in current if one.primary != one.old), current[0])
        if view.primary == self.replaced and time.monotonic() - self._replaced_s < HOLD_S:
            view = view._replace(primary=None)
        if view.primary is None:
            self._leave(view.old)
        else:
            self.replaced = None
            self._cut([one for one in self.connections if (one.host, one.port) != view.primary])
        return view

    async def _views(self) -> list[View]:
        polls = [asyncio.ensure_future(self._ask(sentinel)) for sentinel in self.sentinels]
        waiting, views = set(polls), list[View]()
        try:
            while waiting:
                enough = len(views) > len(polls) // 2
                done, waiting = await asyncio.wait(
                    waiting, timeout=GRACE_S if enough else None, return_when=asyncio.FIRST_COMPLETED
                )
                views += [view for one in done if (view := one.result()) is not None]
                if enough and not done:
                    break
        finally:
            await end(*waiting)
        return views

    async def _ask(self, sentinel: Any) -> View | None:
        try:
            async with asyncio.timeout(ASK_TIMEOUT_S), sentinel.pipeline(transaction=False) as pipe:
                pipe.execute_command("SENTINEL", "MASTER", self.service)
                pipe.execute_command("SENTINEL", "GET-MASTER-ADDR-BY-NAME", self.service)
                words, named = await pipe.execute()
        except (RedisError, OSError):
            return None
        facts = {name.decode(): value.decode() for name, value in zip(words[::2], words[1::2], strict=True)}
        old, primary = (facts["ip"], int(facts["port"])), (named[0].decode(), int(named[1]))
        under_way = "failover_in_progress" in facts["flags"].split(",")
        return View(int(facts["config-epoch"]), old, None if under_way and primary == old else primary)

    def _leave(self, old: Address) -> None:
        """Cut every connection to a primary that is being replaced."""
        if self.replaced != old:
            log.warning("redis.primary_replaced", service=self.service)
        self.replaced = old
        self._cut([one for one in self.connections if (one.host, one.port) == old])

    def _cut(self, connections: Sequence[Any]) -> None:
        for connection in connections:
            self.connections.discard(connection)
            if connection._writer is not None:
                # Not closed in order: nothing that is still on its way to the old primary may count.
                connection._writer.transport.abort()

    def _watch(self) -> None:
        if not self._watchers:
            tasks = [self._poll_forever(), *(self._subscribe_forever(sentinel) for sentinel in self.sentinels)]
            self._watchers = [asyncio.create_task(task) for task in tasks]

    async def _poll_forever(self) -> None:
        while True:
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(POLL_S):
                    await self._changed.wait()
            self._changed.clear()
            with contextlib.suppress(RedisError, OSError):
                await self._poll()
            await pause(0)

    async def _subscribe_forever(self, sentinel: Any) -> None:
        while True:
            with contextlib.suppress(RedisError, OSError):
                async with sentinel.pubsub() as subscription:
                    await subscription.subscribe(*CHANNELS)
                    while True:
                        message = await subscription.get_message(ignore_subscribe_messages=True, timeout=POLL_S)
                        if message is not None:
                            self._published(message["channel"].decode(), message["data"].decode().split())
            await pause(0.5)

    def _published(self, channel: str, words: list[str]) -> None:
        """Of a beginning failover: "master SERVICE HOST PORT"."""
        # Of a replica it is "slave NAME HOST PORT @ SERVICE HOST PORT": the primary's address comes last in both.
        if channel in BEGUN and self.service in words[1:2] + words[-3:-2]:
            self._replaced_s = time.monotonic()
            self._leave((words[-2], int(words[-1])))
        self._changed.set()

    async def close(self) -> None:
        """Stop watching. A later question begins again."""
        watchers, self._watchers = self._watchers, []
        await end(*watchers)
        for sentinel in self.sentinels:
            await sentinel.aclose()


_primaries: WeakKeyDictionary[asyncio.AbstractEventLoop, dict[str, Primary]] = WeakKeyDictionary()


def primary_of(url: str) -> Primary:
    """The one `Primary` of a URL in the running event loop."""
    known = _primaries.setdefault(asyncio.get_running_loop(), {})
    if url not in known:
        known[url] = Primary(sentinel_url(url))
    return known[url]
