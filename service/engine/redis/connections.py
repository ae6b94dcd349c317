"""Connections of redis-py whose every loss is a ConnectionError."""

from typing import Any

from redis.asyncio import Connection, ConnectionPool, Redis, SSLConnection, UnixDomainSocketConnection
from redis.asyncio.connection import parse_url
from redis.exceptions import ConnectionError as RedisConnectionError


class LossAsError:
    """A connection that was closed between two writes is lost, not a fault of the program.

    uvloop raises RuntimeError for a write to a closed transport, where asyncio's own loop only warns and fails later. redis-py
    passes it on: without this, a server that ends while it greets a client makes an answer of 500 instead of 503.
    """

    async def send_packed_command(self, *args: Any, **options: Any) -> None:
        """Raises redis.exceptions.ConnectionError where the connection has been closed."""
        try:
            await super().send_packed_command(*args, **options)  # type: ignore[misc]  # a mixin: the connection class has it
        except RuntimeError as error:
            raise_loss(error)


class TcpConnection(LossAsError, Connection):
    """A connection without TLS."""


class TlsConnection(LossAsError, SSLConnection):
    """A connection with TLS."""


class UnixConnection(LossAsError, UnixDomainSocketConnection):
    """A connection to a socket of this machine."""


_KINDS: dict[Any, type] = {
    None: TcpConnection,
    SSLConnection: TlsConnection,
    UnixDomainSocketConnection: UnixConnection,
}


def server_options(url: str) -> dict[str, Any]:
    """Arguments from which redis-py makes a connection to the server of `url`. Raises ValueError for another scheme."""
    options: dict[str, Any] = {**parse_url(url)}
    return {**options, "connection_class": _KINDS[options.get("connection_class")]}


def raise_loss(error: RuntimeError) -> None:
    """Raise uvloop's error of a closed transport as redis.exceptions.ConnectionError, and any other as it is."""
    if "handler is closed" in str(error):
        raise RedisConnectionError("Connection closed by server.") from error
    raise error


def client_of(host: str, port: int, *, secure: bool, **options: Any) -> Any:
    """A client of one server, which closes its connections with itself."""
    kind = TlsConnection if secure else TcpConnection
    return Redis.from_pool(ConnectionPool(host=host, port=port, connection_class=kind, **options))


def single(**options: Any) -> Any:
    """A connection with nothing around it, not yet made."""
    return ConnectionPool(**options).make_connection()
