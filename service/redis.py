"""Connections to Redis that notice a dead peer: arq's own settings have neither a socket timeout nor keepalive."""

import asyncio
import socket
from typing import Any, TypeAlias

from arq.connections import ArqRedis
from redis.asyncio import BlockingConnectionPool, Redis

Client: TypeAlias = Any
"""An asyncio client of redis-py, whose own annotations cannot tell it from the synchronous one."""

CONNECT_TIMEOUT_S = 5.0
"""A server that does not take a connection in this time is treated as away."""

SOCKET_TIMEOUT_S = 5.0
"""Half a lease: a half-open socket is given up while there is still time to renew over a new one."""

MAX_CONNECTIONS = 50
"""More than one process ever has in flight; the pool waits instead of failing when they are all busy."""


def connect(url: str, *, max_connections: int = MAX_CONNECTIONS, **extra: Any) -> ArqRedis:
    """A client for `url` (redis://, rediss://, unix://). Raises ValueError for another scheme."""
    pool = BlockingConnectionPool.from_url(
        url, max_connections=max_connections, timeout=SOCKET_TIMEOUT_S, **_manners(url), **extra
    )
    return ArqRedis(pool_or_conn=pool)


def connect_alone(url: str) -> Client:
    """A client with one connection, for calls that come one after another: none has to look for a free one."""
    return _Alone.from_url(url, single_connection_client=True, **_manners(url))


class _Alone(Redis):
    """Sees before a call that the server has closed the connection meanwhile, as a pool does, but without trying to read."""

    async def execute_command(self, *args: Any, **options: Any) -> Any:
        # redis-py has no public word for this. Without it the first call after a restart of the server would fail.
        if connection := self.connection:
            reader: asyncio.StreamReader | None = getattr(connection, "_reader", None)
            if reader is not None and (reader.at_eof() or reader.exception() is not None):
                await connection.disconnect(nowait=True)
        return await super().execute_command(*args, **options)


def _manners(url: str) -> dict[str, Any]:
    """How a connection notices that its peer is gone."""
    manners: dict[str, Any] = {"socket_timeout": SOCKET_TIMEOUT_S, "health_check_interval": 30}
    if not url.startswith("unix://"):
        manners |= {
            "socket_keepalive": True,
            "socket_keepalive_options": {socket.TCP_KEEPIDLE: 10, socket.TCP_KEEPINTVL: 5, socket.TCP_KEEPCNT: 3},
            "socket_connect_timeout": CONNECT_TIMEOUT_S,
        }
    return manners
