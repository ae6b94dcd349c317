"""Connections of redis-py to wherever the Sentinels say the primary is."""

from typing import Any

from redis.exceptions import ConnectionError as RedisConnectionError

from service.engine.redis.connections import TcpConnection, TlsConnection
from service.engine.redis.sentinel import Primary, primary_of
from service.engine.redis.shared_pool import SharedPool


class _ToPrimary:
    """A redis-py connection to wherever the primary is at that moment."""

    primary: Primary
    host: str
    port: int

    async def _connect(self) -> None:
        self.host, self.port = await self.primary.address()
        await super()._connect()  # type: ignore[misc]  # of the connection that this is mixed into

    async def on_connect(self) -> None:
        await super().on_connect()  # type: ignore[misc]  # a mixin: the connection class has it
        await self.send_command("ROLE", check_health=False)  # type: ignore[attr-defined]  # as above
        role = await self.read_response()  # type: ignore[attr-defined]  # as above
        if role[0] not in (b"master", "master"):
            raise RedisConnectionError("the server that the Sentinels name is not the primary yet")
        self.primary.joined(self)


class PrimaryConnection(_ToPrimary, TcpConnection):
    def __init__(self, *, primary: Primary, **options: Any) -> None:
        super().__init__(**options)
        self.primary = primary


class SecurePrimaryConnection(_ToPrimary, TlsConnection):
    def __init__(self, *, primary: Primary, **options: Any) -> None:
        super().__init__(**options)
        self.primary = primary


class PrimaryPool(SharedPool):
    """Connections to the primary. Once it is disconnected, the Sentinels are no longer watched."""

    def __init__(self, url: str, **options: Any) -> None:
        self.primary = primary_of(url)
        super().__init__(**primary_options(self.primary), **options)

    async def disconnect(self, inuse_connections: bool = True) -> None:
        await super().disconnect(inuse_connections)
        await self.primary.close()


def primary_options(primary: Primary) -> dict[str, Any]:
    """Arguments from which redis-py makes a connection."""
    options = dict(primary.server_options)
    secure = options.pop("connection_class", None) is not None
    return {**options, "primary": primary, "connection_class": SecurePrimaryConnection if secure else PrimaryConnection}
