"""Servers of queues: a queue may have a server of its own, and all others share the main one. In a cluster each has a place of its
own, and what belongs to no queue another.

What knows a queue's name reaches its server by `of_queue`, from whatever client it has: with one server that is the client
itself. What belongs to no queue (alerts, rates of services, sessions) stands on the main server.
"""

import asyncio
from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass

from redis.exceptions import RedisError

from service.engine.redis.client import Client, connect
from service.engine.redis.cluster import NotInCluster
from service.engine.sealing import SEALING
from service.lib.text import listed
from settings import Settings
from settings.urls import CLUSTER_FORM, in_cluster

ANSWER_S = 1.0
"""A server that takes longer to answer is shown as one that does not."""


@dataclass(frozen=True)
class Place:
    """A server with the queues whose jobs stand there. The main one has no name: without it nothing works."""

    url: str
    queues: tuple[str, ...]
    client: Client
    server: str = ""


@dataclass(frozen=True)
class Places:
    """The main server's place first."""

    all: Sequence[Place]
    by_queue: Mapping[str, Place]


def server_words(queues: Sequence[str]) -> str:
    """A queue's own server in words."""
    return f"the server of the queue{'s' if len(queues) > 1 else ''} {listed(queues)}"


@asynccontextmanager
async def open_places(settings: Settings) -> AsyncIterator[Client]:
    """A client of the main server, which knows those of the queues that have their own; all are closed at the end. What this
    process writes to them is encrypted from now on, where the settings have keys.

    Raises SystemExit where there is no main server, or where the URL is one for a cluster and the server not, or the other way.
    """
    before = SEALING.keyring
    SEALING.use(settings.encryption_keys)
    redis = _connected(settings)
    try:
        await _check_mode(redis, in_cluster(settings.queue_server_url()))
        yield redis
    finally:
        SEALING.keyring = before
        for place in reversed(places_of(redis).all):
            await place.client.aclose(close_connection_pool=True)


async def _check_mode(redis: Client, cluster: bool) -> None:
    """A server that does not answer is waited for later."""
    try:
        async with asyncio.timeout(ANSWER_S):
            info = await redis.info("server")
    except (RedisError, OSError, TimeoutError) as error:
        # redis-py puts an error of its own around what goes wrong as it connects.
        if isinstance(error.__cause__, NotInCluster):
            raise SystemExit(f"OFFLOAD_REDIS_URL names a cluster, but {error.__cause__}.") from None
        return
    if info.get("redis_mode", info.get("server_mode")) == "cluster" and not cluster:
        raise SystemExit(
            f"OFFLOAD_REDIS_URL names one server of a cluster: write {CLUSTER_FORM}, with some of its servers."
        )


def _connected(settings: Settings) -> Client:
    main = settings.queue_server_url()
    client: Client = connect(main)
    own: dict[str, list[str]] = {}
    for queue in settings.queues:
        if (url := settings.server_of(queue)) != main:
            own.setdefault(url, []).append(str(queue))
    if own:
        shared = tuple(str(queue) for queue in settings.queues if settings.server_of(queue) == main)
        places = [Place(main, shared, client)]
        for url, queues in own.items():
            words = server_words(queues)
            places.append(Place(url, tuple(queues), connect(url, server=words), words))
        client.places = Places(places, {queue: place for place in places for queue in place.queues})
    return client


async def silent_places(redis: Client) -> Sequence[Place]:
    """Servers of queues' own that do not answer now."""

    async def silent(place: Place) -> bool:
        try:
            async with asyncio.timeout(ANSWER_S):
                await place.client.ping()
        except (RedisError, OSError):
            return True
        return False

    others = places_of(redis).all[1:]
    return [place for place, away in zip(others, await asyncio.gather(*map(silent, others)), strict=True) if away]


def places_of(redis: Client) -> Places:
    """The places that a client knows: its own where it knows no others. The same ones each time."""
    known: Places | None = getattr(redis, "places", None)
    if known is None:
        known = redis.places = Places([Place("", (), redis)], {})
    return known


def of_queue(redis: Client, queue: str) -> Client:
    """The client of a queue's server."""
    place = places_of(redis).by_queue.get(str(queue))
    return place.client if place else redis
