"""A connection to the queue server without a client around it, where microseconds count.

redis-py connects (address, TLS, password, database, time limits) and hiredis reads and writes; what is received is handed
on in the turn of the loop in which it came. Through redis-py's streams, which take three turns, a job would be heard of
0.3 ms later on a machine that has been idle.
"""

import asyncio
from collections.abc import Callable
from typing import Any, Self

import hiredis
from redis.asyncio.connection import DefaultParser
from redis.exceptions import ConnectionError as RedisConnectionError

from service.engine.redis.client import unconnected


class RawConnection(asyncio.Protocol):
    """`heard` is called with each thing that the server says: bytes, int, list, None, or a redis-py error. `lost` is done
    once nothing more can come, and its result is the reason."""

    connection: Any
    transport: asyncio.Transport

    def __init__(self, heard: Callable[[Any], None]) -> None:
        self.heard = heard
        self.reader = hiredis.Reader(replyError=DefaultParser.parse_error)
        self.lost: asyncio.Future[Exception] = asyncio.get_running_loop().create_future()

    @classmethod
    async def open(cls, url: str, *made_of: Any) -> Self:
        """A connection that is ready for commands. Raises RedisError or OSError where there is none to be had."""
        # Kept, for it would close the transport when it is collected.
        connection = unconnected(url)
        await connection.connect()
        wire = cls(*made_of)
        wire.connection = connection
        # redis-py has no public word for this. Nothing has been read ahead: each answer of its greeting was awaited.
        wire.transport = connection._writer.transport
        wire.transport.set_protocol(wire)
        if wire.transport.is_closing():
            wire.connection_lost(None)
        return wire

    def say(self, *words: Any) -> None:
        """Send one command: bytes, str, int or float."""
        self.transport.write(hiredis.pack_command(words))

    def data_received(self, data: bytes) -> None:
        self.reader.feed(data)
        while (said := self.reader.gets()) is not False:
            self.heard(said)

    def eof_received(self) -> None:
        """The server hangs up: the transport closes itself."""

    def connection_lost(self, error: Exception | None) -> None:
        if not self.lost.done():
            self.lost.set_result(RedisConnectionError(str(error) if error else "Connection closed by server."))

    def cut(self) -> None:
        """Give the connection up as it is."""
        self.transport.abort()
        self.connection_lost(None)
