"""The servers of a cluster (Valkey Cluster, Redis Cluster): which of them has a slot now.

A place of Offload's has one slot, so its connections go to one server, and to another once the slot is there: after a failover,
or after it was moved. A server that does not have the slot says so and does nothing, so such a command can be sent again.
"""

import asyncio
import time
from collections.abc import Sequence
from typing import Any, TypeAlias
from weakref import WeakKeyDictionary

from redis.asyncio.connection import parse_url
from redis.exceptions import ConnectionError as RedisConnectionError
from redis.exceptions import RedisError, ResponseError

from service.engine.redis.connections import client_of
from settings.urls import ClusterUrl, cluster_url

ASK_TIMEOUT_S = 1.0
"""A server that does not answer in this time is asked last from then on."""

FRESH_S = 0.25
"""Age up to which what the servers said of their slots is believed: connections are often made several at a time."""

Client: TypeAlias = Any
Address = tuple[str, int]


class SlotElsewhere(RedisConnectionError):
    """The command was not executed: another server has the slot."""


class NotInCluster(RedisConnectionError):
    """The server is one of its own."""


class Cluster:
    """The servers behind one URL, for all connections of this process."""

    def __init__(self, url: ClusterUrl) -> None:
        options = parse_url(url.server)
        self.server_options = {name: value for name, value in options.items() if name not in ("host", "port", "db")}
        self.servers: list[Address] = list(url.seeds)
        """Those to ask, in turn: the last one that answered comes first."""
        self.owners: dict[int, Address] = {}
        self.ranges: Sequence[tuple[int, int, Address]] = ()
        self._polled_s = float("-inf")
        self._asking = asyncio.Lock()

    async def owner(self, slot: int) -> Address:
        """Host and port of the server that has a slot. Raises redis-py's ConnectionError where none has it, or none answers."""
        async with self._asking:
            if time.monotonic() - self._polled_s > FRESH_S:
                await self._ask_all()
                self._polled_s = time.monotonic()
        if slot not in self.owners:
            found = next((address for first, last, address in self.ranges if first <= slot <= last), None)
            if found is None:
                raise RedisConnectionError(
                    f"no server of the cluster has the slot {slot}: give all 16384 slots to servers (CLUSTER ADDSLOTSRANGE)"
                )
            self.owners[slot] = found
        return self.owners[slot]

    def left(self, slot: int, address: Address) -> bool:
        """True where another server than `address` has the slot, by what is known."""
        return self.owners.get(slot, address) != address

    def doubt(self, address: Address) -> None:
        """Ask again before the next connection, and another server first."""
        self._polled_s = float("-inf")
        if address in self.servers:
            self.servers.remove(address)
            self.servers.append(address)

    def refused(self, error: ResponseError, slot: int, address: Address) -> RedisConnectionError | None:
        """The error to raise in place of a server's reply that it does not have the slot; None for any other reply."""
        # By its words: redis-py has classes for them only where its own cluster client reads the reply.
        word, _, rest = str(error).partition(" ")
        if word == "MOVED":
            host, _, port = rest.partition(" ")[2].rpartition(":")
            self.owners[slot] = (host or address[0], int(port))
            self._polled_s = time.monotonic()
            return SlotElsewhere(f"the slot {slot} is on another server of the cluster")
        if word in ("ASK", "TRYAGAIN"):
            return RedisConnectionError(f"the slot {slot} is being moved to another server of the cluster")
        if word == "CLUSTERDOWN":
            self.doubt(address)
            return RedisConnectionError(f"the cluster does not serve the slot {slot} now: {rest}")
        return None

    async def _ask_all(self) -> None:
        reasons = []
        for address in list(self.servers):
            try:
                rows = await self._ask(address)
            except ResponseError as error:
                if "cluster support disabled" not in str(error):
                    raise
                raise NotInCluster(
                    f"{_text(address)} is one server without a cluster: name it as redis://{_text(address)}"
                ) from None
            except (RedisError, OSError) as error:
                self.doubt(address)
                reasons.append(f"{_text(address)}: {error or type(error).__name__}")
                continue
            self._learn(rows, address)
            return
        raise RedisConnectionError(f"no server of the cluster answers ({'; '.join(reasons)})")

    async def _ask(self, address: Address) -> Sequence[Any]:
        options: dict[str, Any] = {
            **self.server_options,
            "socket_timeout": ASK_TIMEOUT_S,
            "socket_connect_timeout": ASK_TIMEOUT_S,
        }
        secure = options.pop("connection_class", None) is not None
        # A connection for the question alone: questions are rare, and nothing has to be closed at the end.
        async with client_of(*address, secure=secure, **options) as server:
            rows: Sequence[Any] = await server.execute_command("CLUSTER SLOTS")
            return rows

    def _learn(self, rows: Sequence[Any], origin: Address) -> None:
        ranges, known = [], list[Address]()
        for first, last, *nodes in rows:
            addresses = [address for node in nodes if (address := _address(node, origin))]
            if addresses:
                ranges.append((int(first), int(last), addresses[0]))
            known += addresses
        self.ranges, self.owners = ranges, {}
        others = [one for one in dict.fromkeys([*known, *self.servers]) if one != origin]
        self.servers = [origin, *others]


def _address(node: Sequence[Any], origin: Address) -> Address | None:
    """Address of a server; without a host (`cluster-preferred-endpoint-type unknown-endpoint`) that of the one that was asked."""
    host = node[0].decode() if isinstance(node[0], bytes) else node[0]
    return None if host == "?" else (host or origin[0], int(node[1]))


def _text(address: Address) -> str:
    return f"{address[0]}:{address[1]}"


_clusters: WeakKeyDictionary[asyncio.AbstractEventLoop, dict[str, Cluster]] = WeakKeyDictionary()


def cluster_of(url: str) -> Cluster:
    """The one `Cluster` of a URL in the running event loop, whatever its tag."""
    known, name = _clusters.setdefault(asyncio.get_running_loop(), {}), url.partition("#")[0]
    if name not in known:
        known[name] = Cluster(cluster_url(url))
    return known[name]
