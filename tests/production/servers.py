"""Redis servers and Sentinels as processes, in a network namespace where wanted."""

import signal
import subprocess
from collections.abc import Sequence
from pathlib import Path

import redis

from tests.ports import free_port
from tests.production.needs import need_program
from tests.tls import Files
from tests.waiting import wait_until

DOWN_AFTER_MS = 3_000
"""How long a server may be silent before a Sentinel calls it down: more than a busy machine pauses for."""


class Server:
    """One process with a configuration file. `inside` is what starts it elsewhere, such as `ip netns exec one`.

    With `tls` it speaks nothing else, to clients and to other servers.
    """

    program = "redis-server"
    password: str | None = None
    """Of the default user, which this file's own clients are."""

    def __init__(
        self,
        folder: Path,
        lines: Sequence[str],
        *,
        host: str = "127.0.0.1",
        inside: Sequence[str] = (),
        tls: Files | None = None,
    ) -> None:
        self.folder = folder
        self.host = host
        self.inside = inside
        self.tls = tls
        self.port = free_port()
        folder.mkdir(parents=True, exist_ok=True)
        self.file = folder / "server.conf"
        # Kept over restarts: Sentinel and `REPLICAOF` write what they learn into it.
        self.file.write_text("\n".join([*self._listening(), f"bind {host}", f"dir {folder}", *lines]) + "\n")
        self.process: subprocess.Popen[bytes] | None = None
        self.start()

    def _listening(self) -> list[str]:
        if self.tls is None:
            return [f"port {self.port}"]
        return [
            "port 0",
            f"tls-port {self.port}",
            f"tls-cert-file {self.tls.certificate}",
            f"tls-key-file {self.tls.key}",
            f"tls-ca-cert-file {self.tls.ca}",
            "tls-auth-clients no",
            "tls-replication yes",
        ]

    def start(self) -> None:
        """Start it, and wait until it answers."""
        program = need_program(self.program)
        with (self.folder / "log").open("ab") as log:
            self.process = subprocess.Popen([*self.inside, program, str(self.file)], stdout=log, stderr=log)
        wait_until(self.answers)

    def answers(self) -> bool:
        try:
            with self.client() as client:
                return bool(client.ping())
        except redis.RedisError:
            return False

    def client(self) -> "redis.Redis[bytes]":
        tls = {"ssl": True, "ssl_ca_certs": str(self.tls.ca)} if self.tls else {}
        return redis.Redis(
            host=self.host,
            port=self.port,
            password=self.password,
            socket_timeout=2,
            socket_connect_timeout=2,
            **tls,
        )

    @staticmethod
    def through(port: int) -> bool:
        """Whether a server answers behind a port of this machine."""
        try:
            with redis.Redis(port=port, socket_timeout=2) as client:
                return bool(client.ping())
        except redis.RedisError:
            return False

    def role(self) -> str:
        """ "master", "slave", or "" while it does not answer: a server that is demoted cuts its connections."""
        try:
            with self.client() as client:
                return str(client.execute_command("ROLE")[0].decode())
        except redis.RedisError:
            return ""

    def signal(self, number: signal.Signals) -> None:
        assert self.process is not None
        self.process.send_signal(number)

    def kill(self) -> None:
        """kill -9, and wait until it is gone."""
        if self.process is not None and self.process.poll() is None:
            self.process.send_signal(signal.SIGCONT)
            self.process.kill()
            self.process.wait(10)


class RedisServer(Server):
    """A queue server as docs/scaling.md has it."""

    def __init__(
        self,
        folder: Path,
        *more: str,
        host: str = "127.0.0.1",
        inside: Sequence[str] = (),
        primary: "Server | None" = None,
        tls: Files | None = None,
        program: str = "redis-server",
        password: str | None = None,
    ) -> None:
        self.program, self.password = program, password
        lines = [
            "appendonly yes",
            "appendfsync always",
            'save ""',
            "maxmemory-policy noeviction",
            "repl-ping-replica-period 1",
            "repl-diskless-sync-delay 0",
            "protected-mode no",
            *more,
        ]
        if password:
            lines.append(f"requirepass {password}")
        if primary:
            lines.append(f"replicaof {primary.host} {primary.port}")
        super().__init__(folder, lines, host=host, inside=inside, tls=tls)

    @property
    def url(self) -> str:
        return f"redis://{self.host}:{self.port}/0"


class Sentinel(Server):
    """Watches `primary` under the name `offload`."""

    program = "redis-sentinel"

    def __init__(
        self,
        folder: Path,
        primary: Server,
        *,
        host: str = "127.0.0.1",
        inside: Sequence[str] = (),
        tls: Files | None = None,
    ) -> None:
        lines = [
            f"sentinel monitor offload {primary.host} {primary.port} 2",
            f"sentinel down-after-milliseconds offload {DOWN_AFTER_MS}",
            "sentinel failover-timeout offload 20000",
            "sentinel parallel-syncs offload 2",
            "protected-mode no",
        ]
        super().__init__(folder, lines, host=host, inside=inside, tls=tls)


class Watched:
    """Three servers and three Sentinels, which know each other before anything else begins."""

    def __init__(
        self,
        folder: Path,
        *,
        hosts: Sequence[str] = ("127.0.0.1",) * 3,
        namespaces: Sequence[str] = (),
        tls: Files | None = None,
    ) -> None:
        self.tls = tls
        inside = [["ip", "netns", "exec", name] for name in namespaces] or [[], [], []]
        lag = ("min-replicas-to-write 1", "min-replicas-max-lag 3")
        self.servers: list[Server] = []
        self.sentinels: list[Server] = []
        try:
            for number in range(3):
                primary = self.servers[0] if self.servers else None
                more = {"host": hosts[number], "inside": inside[number], "tls": tls}
                self.servers.append(RedisServer(folder / f"redis-{number}", *lag, primary=primary, **more))
            for number in range(3):
                more = {"host": hosts[number], "inside": inside[number], "tls": tls}
                self.sentinels.append(Sentinel(folder / f"sentinel-{number}", self.servers[0], **more))
            wait_until(self.settled)
        except BaseException:
            self.stop()
            raise

    def settled(self) -> bool:
        """Whether the primary has both replicas in step, and every Sentinel knows the others and both replicas."""
        with self.servers[0].client() as client:
            facts = client.info("replication")
        in_step = [n for n in (0, 1) if facts.get(f"slave{n}", {}).get("state") == "online"]
        known = []
        for sentinel in self.sentinels:
            with sentinel.client() as client:
                state = client.sentinel_master("offload")
            known.append((state["num-other-sentinels"], state["num-slaves"]))
        return len(in_step) == 2 and known == [(2, 2)] * 3

    @property
    def url(self) -> str:
        hosts = ",".join(f"{sentinel.host}:{sentinel.port}" for sentinel in self.sentinels)
        return (
            f"rediss+sentinel://{hosts}/offload/0?ssl_ca_certs={self.tls.ca}"
            if self.tls
            else f"redis+sentinel://{hosts}/offload/0"
        )

    def primary(self) -> Server | None:
        """The server that the first Sentinel that answers names."""
        for sentinel in self.sentinels:
            try:
                with sentinel.client() as client:
                    named = client.sentinel_get_master_addr_by_name("offload")
            except redis.RedisError:
                continue
            if named:
                return next(one for one in self.servers if (one.host, one.port) == (named[0].decode(), int(named[1])))
        return None

    def stop(self) -> None:
        for server in [*self.sentinels, *self.servers]:
            server.kill()
