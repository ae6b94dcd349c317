"""Checks of the URLs an operator gives."""

from dataclasses import dataclass
from urllib.parse import urlsplit

from pydantic import AfterValidator

SENTINEL_SCHEMES = ("redis+sentinel", "rediss+sentinel")
SENTINEL_PORT = 26379
SENTINEL_FORM = "redis+sentinel://host:port,host:port/service/db"

CLUSTER_SCHEMES = ("redis+cluster", "rediss+cluster")
CLUSTER_PORT = 6379
CLUSTER_FORM = "redis+cluster://host:port,host:port"


class Explained(ValueError):
    """A URL that is refused for a reason of its own: the words that follow the variable's name in the sentence."""


def url_of(*schemes: str, host: bool = False) -> AfterValidator:
    """Accept a URL of one of `schemes`; with `host`, only one that names a host. The text is kept as given."""

    def check(url: str) -> str:
        parts = urlsplit(url)
        _ = parts.port  # raises ValueError where the port is not a number
        if parts.scheme not in schemes or (host and not parts.hostname):
            raise ValueError("not such a URL")
        return url

    return AfterValidator(check)


def file_or_s3_url(url: str) -> str:
    """Accept file:///absolute/folder and s3://bucket/prefix."""
    parts = urlsplit(url)
    local = parts.scheme == "file" and not parts.netloc and parts.path.startswith("/")
    if not local and not (parts.scheme == "s3" and parts.netloc):
        raise ValueError("not such a URL")
    return url


def queue_server_url(url: str) -> str:
    """Accept redis://, rediss://, unix://, a primary that Sentinels name, and a cluster. The text is kept as given."""
    parts = urlsplit(url)
    if parts.scheme in SENTINEL_SCHEMES:
        sentinel_url(url)
    elif parts.scheme in CLUSTER_SCHEMES:
        if "#" in url:
            raise Explained(f"has a # in it, which a password has as %23: write {CLUSTER_FORM}")
        cluster_url(url)
    elif parts.scheme not in ("redis", "rediss", "unix"):
        raise ValueError("not such a URL")
    else:
        _ = parts.port  # raises ValueError where the port is not a number
    return url


@dataclass(frozen=True)
class SentinelUrl:
    """The parts of a `redis+sentinel://` URL."""

    sentinels: tuple[tuple[str, int], ...]
    service: str
    """Name under which the Sentinels know the primary."""
    server: str
    """redis:// or rediss:// URL with user, password, database and options of the primary; its host means nothing."""


def sentinel_url(url: str) -> SentinelUrl:
    """Read `redis+sentinel://[user:password@]host:port,host:port/service/db?options`. Raises Explained."""
    scheme, _, rest = url.partition("://")
    netloc, _, path = rest.partition("/")
    path, _, query = path.partition("?")
    user, at, hosts = netloc.rpartition("@")
    service, _, database = path.partition("/")
    if not service:
        raise Explained(f"names no service: write {SENTINEL_FORM}, with the name that the Sentinels watch it under")
    if database and not database.isdecimal():
        raise Explained(f"ends in a database that is not a number: write {SENTINEL_FORM}")
    sentinels = tuple(_address(one, "Sentinel", SENTINEL_PORT, SENTINEL_FORM) for one in hosts.split(","))
    server = f"{scheme.partition('+')[0]}://{user}{at}primary/{database or 0}"
    return SentinelUrl(sentinels, service, f"{server}?{query}" if query else server)


def own_server_url(url: str) -> str:
    """As `queue_server_url`, for a queue's own server, which is one."""
    if urlsplit(url).scheme in CLUSTER_SCHEMES:
        raise Explained(
            "names a cluster, which is for all queues or for none: give it to OFFLOAD_REDIS_URL, and the jobs of each queue "
            "stand together on one of its servers"
        )
    return queue_server_url(url)


MAIN_TAG = "offload"
"""Hash tag of what belongs to no queue."""


@dataclass(frozen=True)
class ClusterUrl:
    """The parts of a `redis+cluster://` URL."""

    seeds: tuple[tuple[str, int], ...]
    """Servers that are asked first which ones there are."""
    server: str
    """redis:// or rediss:// URL with user, password and options of every server; its host means nothing."""
    tag: str
    """Hash tag of the keys: those with the same one are on one server."""


def cluster_url(url: str) -> ClusterUrl:
    """Read `redis+cluster://[user:password@]host:port,host:port?options`, with the tag behind a #. Raises Explained."""
    scheme, _, rest = url.partition("://")
    rest, _, tag = rest.partition("#")
    rest, _, query = rest.partition("?")
    netloc, _, path = rest.partition("/")
    if path not in ("", "0"):
        raise Explained(f"names a database, and a cluster has only one: write {CLUSTER_FORM}")
    user, at, hosts = netloc.rpartition("@")
    seeds = tuple(_address(one, "server", CLUSTER_PORT, CLUSTER_FORM) for one in hosts.split(","))
    server = f"{scheme.partition('+')[0]}://{user}{at}server/0"
    return ClusterUrl(seeds, f"{server}?{query}" if query else server, tag or MAIN_TAG)


def in_cluster(url: str) -> bool:
    """True where `url` names a cluster in place of a server."""
    return url.partition("://")[0] in CLUSTER_SCHEMES


def place_url(url: str, queue: str) -> str:
    """`url` of the server of all queues, for one of them: in a cluster each has a place of its own."""
    return f"{url}#{MAIN_TAG}:{queue}" if in_cluster(url) else url


def _address(text: str, kind: str, default_port: int, form: str) -> tuple[str, int]:
    host, colon, port = text.strip().rpartition(":") if not text.strip().endswith("]") else (text.strip(), "", "")
    if not colon:
        host, port = text.strip(), str(default_port)
    if not host or not port.isdecimal() or not 0 < int(port) < 65536:
        raise Explained(f"names a {kind} without a host, or with a port that is not one: write {form}")
    return host.strip("[]"), int(port)
