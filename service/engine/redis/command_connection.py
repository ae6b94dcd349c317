"""Connections to the queue server without a client around them, where microseconds count.

redis-py connects (address, TLS, password, database, time limits), hiredis reads and writes, and what is received is passed
on in the same turn of the event loop. docs/decisions/raw-connection.md gives the gain and the guard.
"""

import asyncio
from collections import deque
from collections.abc import Callable
from typing import Any, Self

import hiredis
from redis.asyncio.connection import DefaultParser
from redis.exceptions import ConnectionError as RedisConnectionError
from redis.exceptions import TimeoutError as RedisTimeoutError

from service.engine.redis.away import named
from service.engine.redis.client import SOCKET_TIMEOUT_S, unconnected
from service.engine.redis.cluster import SlotElsewhere
from service.engine.redis.connections import raise_loss
from service.engine.redis.place_client import MOVES
from service.engine.redis.slot_connection import ToSlot
from settings.urls import in_cluster


class RawConnection(asyncio.Protocol):
    """Calls `received` with each message of the server: bytes, int, list, None, or a redis-py error. `lost` is done once
    nothing more can come, and its result is the reason."""

    connection: Any
    transport: asyncio.Transport

    def __init__(self, received: Callable[[Any], None]) -> None:
        self.received = received
        self.slot: ToSlot | None = None
        """The connection's way with keys and messages, in a cluster."""
        self.reader = hiredis.Reader(replyError=DefaultParser.parse_error)
        self.lost: asyncio.Future[Exception] = asyncio.get_running_loop().create_future()

    @classmethod
    async def open(cls, url: str, *made_of: Any) -> Self:
        """Connect, ready for commands. Raises RedisError or OSError where that fails."""
        # Kept, for it would close the transport when it is collected.
        connection = unconnected(url)
        await connection.connect()
        raw = cls(*made_of)
        raw.connection = connection
        raw.slot = connection if isinstance(connection, ToSlot) else None
        # redis-py has no public name for it (docs/decisions/raw-connection.md). Nothing has been read ahead: each reply
        # of its greeting was awaited.
        raw.transport = connection._writer.transport
        raw.transport.set_protocol(raw)
        if raw.transport.is_closing():
            raw.connection_lost(None)
        return raw

    def send(self, *words: Any) -> None:
        """Send one command: bytes, str, int or float. Raises redis.exceptions.ConnectionError on a closed connection."""
        if self.slot is not None:
            words = tuple(self.slot.outgoing(words))
        try:
            self.transport.write(hiredis.pack_command(words))
        except RuntimeError as error:
            raise_loss(error)

    def data_received(self, data: bytes) -> None:
        self.reader.feed(data)
        while (message := self.reader.gets()) is not False:
            if self.slot is None:
                self.received(message)
                continue
            message = self.slot.incoming(message)
            self.received(message)
            if isinstance(message, SlotElsewhere):
                self.slot_left()

    def eof_received(self) -> None:
        """Let the transport close itself: the server has hung up."""

    def connection_lost(self, error: Exception | None) -> None:
        if not self.lost.done():
            self.lost.set_result(RedisConnectionError(str(error) if error else "Connection closed by server."))

    def slot_left(self) -> None:
        """Give the connection up: the server does not have the place's slot any more."""
        self.cut()

    def cut(self) -> None:
        """Give the connection up as it is."""
        self.transport.abort()
        self.connection_lost(None)


class CommandConnection:
    """Executes commands over one connection of its own, in turn. Connects when first needed, and again after a loss."""

    def __init__(self, url: str, server: str = "") -> None:
        self.url = url
        self.server = server
        """The server in words, where it is a queue's own (redis/places.py): its errors say so."""
        self.in_cluster = in_cluster(url)
        self.replies: _Replies | None = None
        self.connecting = asyncio.Lock()

    async def execute_command(self, *words: Any) -> Any:
        """The server's reply. Raises its error, or a RedisError or OSError where no reply comes in SOCKET_TIMEOUT_S: then
        the command may have been executed, or not."""
        for _ in range(MOVES):
            message = await self._reply_to(words)
            if not isinstance(message, SlotElsewhere):
                break
        if isinstance(message, Exception):
            with named(self.server):
                raise message
        return message

    async def _reply_to(self, words: tuple[Any, ...]) -> Any:
        """The server's reply; an error of its own as a value."""
        replies = self.replies
        if replies is None or replies.lost.done() or replies.left:
            replies = await self._connected()
        reply = replies.ask(words)
        limit = asyncio.get_running_loop().call_later(SOCKET_TIMEOUT_S, replies.give_up)
        try:
            return await reply
        finally:
            limit.cancel()

    async def _connected(self) -> "_Replies":
        async with self.connecting:
            if self.replies is None or self.replies.lost.done() or self.replies.left:
                with named(self.server):
                    self.replies = await _Replies.open(self.url)
            return self.replies

    async def aclose(self) -> None:
        """Close the connection."""
        if self.replies is not None:
            self.replies.cut()


class _Replies(RawConnection):
    """Replies come in the order of the commands."""

    def __init__(self) -> None:
        super().__init__(self._reply)
        self.waiting: deque[asyncio.Future[Any]] = deque()
        self.left = False
        """The server does not have the slot any more: what is under way ends here, and new commands go elsewhere."""
        self.lost.add_done_callback(lambda lost: self._fail(lost.result()))

    def ask(self, words: tuple[Any, ...]) -> "asyncio.Future[Any]":
        """The server's reply when it comes, or an error as one."""
        reply = asyncio.get_running_loop().create_future()
        self.waiting.append(reply)
        self.send(*words)
        return reply

    def _reply(self, message: Any) -> None:
        reply = self.waiting.popleft()
        # The caller may have gone away.
        if not reply.done():
            reply.set_result(message)
        if self.left:
            self.slot_left()

    def _fail(self, error: Exception) -> None:
        while self.waiting:
            self._reply(error)

    def slot_left(self) -> None:
        """Give it up after the last reply: each says whether its command was executed."""
        self.left = True
        if not self.waiting and not self.lost.done():
            self.cut()

    def give_up(self) -> None:
        self._fail(RedisTimeoutError(f"no answer in {SOCKET_TIMEOUT_S:g} s"))
        self.cut()
