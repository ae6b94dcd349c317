"""Connections to Redis that notice a dead peer: arq's own settings have neither a socket timeout nor keepalive."""

import socket
from typing import Any, TypeAlias

from arq.connections import ArqRedis, RedisSettings
from redis.asyncio.connection import parse_url

from service.engine.redis.connections import server_options, single
from service.engine.redis.place_client import PlaceClient, SlotClient
from service.engine.redis.primary_connection import PrimaryPool, primary_options
from service.engine.redis.sentinel import primary_of
from service.engine.redis.shared_pool import SharedPool
from service.engine.redis.slot_connection import slot_options
from settings.urls import SENTINEL_SCHEMES, cluster_url, in_cluster, sentinel_url

Client: TypeAlias = Any
"""An asyncio client of redis-py, whose own annotations cannot tell it from the synchronous one."""

CONNECT_TIMEOUT_S = 5.0
"""A server that does not take a connection in this time is treated as away."""

SOCKET_TIMEOUT_S = 5.0
"""Half a lease: a half-open socket is given up while there is still time to renew over a new one."""

MAX_CONNECTIONS = 50
"""More than one process ever has in flight; the pool waits instead of failing when they are all busy."""


def connect(url: str, *, max_connections: int = MAX_CONNECTIONS, server: str = "", **extra: Any) -> ArqRedis:
    """A client for `url` (redis://, rediss://, unix://, redis+sentinel://, redis+cluster://), whose errors name `server`, where
    it is a queue's own. Raises ValueError for another scheme."""
    kind = SlotClient if in_cluster(url) else PlaceClient if server else ArqRedis
    client = kind(pool_or_conn=pool_of(url, max_connections=max_connections, **extra))
    if isinstance(client, PlaceClient):
        client.server = server
    return client


def pool_of(url: str, *, max_connections: int = MAX_CONNECTIONS, **extra: Any) -> SharedPool:
    """The connections of such a client. Raises ValueError for another scheme."""
    options = {"max_connections": max_connections, "timeout": SOCKET_TIMEOUT_S, **_manners(url), **extra}
    if behind_sentinels(url):
        return PrimaryPool(url, **options)
    if in_cluster(url):
        return SharedPool(**slot_options(url), **options)
    return SharedPool(**{**options, **server_options(url)})


def unconnected(url: str) -> Client:
    """A connection to `url`, with nothing around it and not yet made. Raises ValueError for another scheme."""
    if behind_sentinels(url):
        return single(**primary_options(primary_of(url)), **_manners(url))
    if in_cluster(url):
        return single(**slot_options(url), **_manners(url))
    return single(**{**_manners(url), **server_options(url)})


def arq_settings(url: str) -> RedisSettings:
    """The same server as arq's own commands (`arq --check`) find it, with the options of TLS, which arq does not read."""
    server = sentinel_url(url).server if behind_sentinels(url) else cluster_url(url).server if in_cluster(url) else url
    settings = RedisSettings.from_dsn(server)
    options: dict[str, Any] = {**parse_url(server)}
    for name in ("ssl_ca_certs", "ssl_certfile", "ssl_keyfile", "ssl_cert_reqs", "ssl_check_hostname"):
        if name in options:
            setattr(settings, name, options[name])
    if behind_sentinels(url):
        found = sentinel_url(url)
        settings.host, settings.sentinel, settings.sentinel_master = list(found.sentinels), True, found.service
    if in_cluster(url):
        settings.host, settings.port = cluster_url(url).seeds[0]
    return settings


def behind_sentinels(url: str) -> bool:
    """True where `url` names Sentinels in place of a server."""
    return url.partition("://")[0] in SENTINEL_SCHEMES


def _manners(url: str) -> dict[str, Any]:
    """Options by which a connection notices that its peer is gone."""
    manners: dict[str, Any] = {"socket_timeout": SOCKET_TIMEOUT_S, "health_check_interval": 30}
    if not url.startswith("unix://"):
        manners |= {
            "socket_keepalive": True,
            "socket_keepalive_options": {socket.TCP_KEEPIDLE: 10, socket.TCP_KEEPINTVL: 5, socket.TCP_KEEPCNT: 3},
            "socket_connect_timeout": CONNECT_TIMEOUT_S,
        }
    return manners
