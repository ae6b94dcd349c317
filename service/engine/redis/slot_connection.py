"""Connections of redis-py to the server that has a place's slot, which send the place's tag with every key."""

from collections.abc import Sequence
from typing import Any

from redis.crc import key_slot
from redis.exceptions import ConnectionError as RedisConnectionError
from redis.exceptions import RedisError, ResponseError

from service.engine.redis.cluster import Cluster, SlotElsewhere, cluster_of
from service.engine.redis.connections import TcpConnection, TlsConnection
from service.engine.redis.hash_tag import HashTag
from settings.urls import cluster_url


class ToSlot:
    """A redis-py connection to wherever the slot of a tag is at that moment."""

    cluster: Cluster
    tag: HashTag
    slot: int
    host: str
    port: int
    leaving: set[Any]

    def _begin(self, cluster: Cluster, tag: HashTag) -> None:
        self.cluster, self.tag, self.slot = cluster, tag, key_slot(tag.raw)
        self.host, self.port = "", 0
        self.leaving: set[Any] = set()
        """Channels that it has asked to leave."""

    @property
    def address(self) -> tuple[str, int]:
        """The server that it is connected to."""
        return self.host, self.port

    async def connect(self) -> None:
        """Connect, also where it is connected to a server that does not have the slot any more."""
        if self.is_connected and self.cluster.left(self.slot, self.address):  # type: ignore[attr-defined]  # a mixin
            await self.disconnect(nowait=True)  # type: ignore[attr-defined]  # as above
        await super().connect()  # type: ignore[misc]  # as above

    async def _connect(self) -> None:
        self.host, self.port = await self.cluster.owner(self.slot)
        try:
            await super()._connect()  # type: ignore[misc]  # as above
        except (RedisError, OSError, TimeoutError):
            self.cluster.doubt(self.address)
            raise

    async def on_connect(self) -> None:
        try:
            await super().on_connect()  # type: ignore[misc]  # as above
            await self.send_command("ROLE", check_health=False)  # type: ignore[attr-defined]  # as above
            role = await self.read_response()
        except RedisError:
            self.cluster.doubt(self.address)
            raise
        if role[0] not in (b"master", "master"):
            self.cluster.doubt(self.address)
            raise RedisConnectionError("the server that the cluster names is not the primary yet")

    def pack_command(self, *words: Any) -> Any:
        return super().pack_command(*self.outgoing(words))  # type: ignore[misc]  # as above

    def outgoing(self, words: Sequence[Any]) -> Sequence[Any]:
        """The words of a command as they are sent."""
        sent = self.tag.words(words)
        if sent[0] == "SUNSUBSCRIBE":
            self.leaving.update(name if isinstance(name, bytes) else name.encode() for name in sent[1:])
        return sent

    async def read_response(self, *args: Any, **options: Any) -> Any:
        try:
            response = await super().read_response(*args, **options)  # type: ignore[misc]  # as above
        except ResponseError as error:
            response = self.incoming(error)
            if response is error:
                raise
        else:
            response = self.incoming(response)
        if isinstance(response, RedisConnectionError):
            await self.disconnect(nowait=True)  # type: ignore[attr-defined]  # as above
            raise response
        return response

    def incoming(self, message: Any) -> Any:
        """A message of the server for the client: without the tag, and an error where the slot is elsewhere."""
        if isinstance(message, ResponseError):
            return self.cluster.refused(message, self.slot, self.address) or message
        if isinstance(message, list) and len(message) == 3 and message[0] == b"sunsubscribe":
            if message[1] not in self.leaving:
                # The server's own doing: it has given the slot away.
                self.cluster.doubt(self.address)
                return SlotElsewhere(f"the slot {self.slot} has left {self.host}:{self.port}")
            self.leaving.discard(message[1])
        return self.tag.message(message)


class SlotConnection(ToSlot, TcpConnection):
    def __init__(self, *, cluster: Cluster, tag: HashTag, **options: Any) -> None:
        super().__init__(**options)
        self._begin(cluster, tag)


class SecureSlotConnection(ToSlot, TlsConnection):
    def __init__(self, *, cluster: Cluster, tag: HashTag, **options: Any) -> None:
        super().__init__(**options)
        self._begin(cluster, tag)


def slot_options(url: str) -> dict[str, Any]:
    """Arguments from which redis-py makes a connection to the place that `url` names."""
    cluster = cluster_of(url)
    options = dict(cluster.server_options)
    secure = options.pop("connection_class", None) is not None
    kind = SecureSlotConnection if secure else SlotConnection
    return {**options, "cluster": cluster, "tag": HashTag(cluster_url(url).tag), "connection_class": kind}
