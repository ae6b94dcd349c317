"""Errors of the real parts: those of an absence are told from those of the work."""

import asyncio
import errno
import sqlite3
from collections.abc import Awaitable, Callable, Iterator
from contextlib import closing
from pathlib import Path
from typing import Any

import asyncpg
import pytest
from sqlalchemy import text
from sqlalchemy.exc import IntegrityError

from service.database.connection import Database
from service.lib.outages import Outage, outage_of
from service.lib.storage.object_storage import Storage
from tasks.exports.reading import read
from tasks.exports.source import PostgresSource, Query
from tests.databases import PostgresServer
from tests.full_disk import no_room
from tests.ports import free_port
from tests.s3 import BucketServer


async def raised(call: Callable[[], Awaitable[Any]]) -> Outage | None:
    """The outage behind what `call` raises."""
    with pytest.raises(Exception) as caught:
        await call()
    return outage_of(caught.value)


async def test_a_database_that_refuses_connections() -> None:
    database = Database(f"postgresql+asyncpg://nobody@127.0.0.1:{free_port()}/none")
    found = await raised(database.check)
    assert found == Outage("database", "connection refused")
    assert found.sentence == "The database is out of reach (connection refused)"
    await database.close()


async def test_a_database_that_refuses_an_export_in_its_child() -> None:
    source = PostgresSource({"host": "127.0.0.1", "port": free_port(), "user": "nobody"})

    def export() -> None:
        with read(source, Query("SELECT 1", "SELECT 1", ())):
            pass

    # A thread stands for the child: what matters is that the error has no driver's traceback afterwards.
    assert await raised(lambda: asyncio.to_thread(export)) == Outage("database", "connection refused")


async def test_a_disk_with_no_room_for_a_shared_index(sqlite_url: str) -> None:
    database = Database(sqlite_url)
    # Its beginning of three bytes takes no room on a real disk.
    with no_room(3):
        assert await raised(database.check) == Outage("database", "full")
    await database.close()


async def test_a_database_whose_connections_are_taken(postgres_server: PostgresServer, postgres_url: str) -> None:
    name = postgres_url.partition("@/")[2].partition("?")[0]
    role = f"limited_{name}"
    await asyncio.to_thread(postgres_server.execute, f"CREATE ROLE {role} LOGIN CONNECTION LIMIT 1")
    database = Database(postgres_url.replace("postgres:@", f"{role}:@"))
    taken = await asyncpg.connect(user=role, database=name, host=postgres_server.folder)
    try:
        assert await raised(database.check) == Outage("database", "too many connections")
    finally:
        await taken.close()
        await database.close()
        await asyncio.to_thread(postgres_server.execute, f"DROP ROLE {role}")


async def test_a_connection_that_the_server_ends_in_the_middle(postgres_url: str) -> None:
    database = Database(postgres_url)
    async with database.reading() as session:
        await session.execute(text("SELECT 1"))
        found = await raised(lambda: session.execute(text("SELECT pg_terminate_backend(pg_backend_pid())")))
    assert found is not None and found.part == "database"
    await database.close()


async def test_a_sqlite_file_that_is_locked(tmp_path: Path) -> None:
    file = tmp_path / "some.db"
    with closing(sqlite3.connect(file, isolation_level=None)) as owner:
        owner.execute("CREATE TABLE t (x)")
        owner.execute("BEGIN EXCLUSIVE")
        with closing(sqlite3.connect(file, timeout=0)) as other, pytest.raises(sqlite3.OperationalError) as caught:
            other.execute("INSERT INTO t VALUES (1)")
    assert outage_of(caught.value) == Outage("database", "locked for too long")


async def test_what_is_wrong_with_a_statement_is_no_outage(sqlite_url: str) -> None:
    database = Database(sqlite_url)

    async def run(statement: str) -> None:
        async with database.writing() as session:
            await session.execute(text(statement))

    assert await raised(lambda: run("SELECT * FROM no_such_table")) is None
    await run("CREATE TABLE t (x INTEGER PRIMARY KEY)")
    await run("INSERT INTO t VALUES (1)")
    with pytest.raises(IntegrityError) as caught:
        await run("INSERT INTO t VALUES (1)")
    assert outage_of(caught.value) is None
    await database.close()


async def test_a_tasks_own_connection_is_no_outage() -> None:
    assert await raised(lambda: asyncio.open_connection("127.0.0.1", free_port())) is None


@pytest.fixture
def bucket(monkeypatch: pytest.MonkeyPatch) -> Iterator[BucketServer]:
    """A running one, with the environment set for it."""
    server = BucketServer()
    # obstore looks at the moment a storage is opened, and moto never checks the credentials.
    for name, value in server.environment.items():
        monkeypatch.setenv(name, value)
    yield server
    server.stop()


async def test_a_bucket_whose_server_is_gone(bucket: BucketServer) -> None:
    storage = Storage(bucket.environment["OFFLOAD_STORAGE_URL"])
    await storage.check()
    bucket.stop()
    for call in (lambda: storage.put("a", b"1"), lambda: storage.get("a"), storage.check):
        found = await raised(call)
        assert found == Outage("storage", "no connection")
        assert "http" not in found.sentence and bucket.BUCKET not in found.sentence


async def test_an_object_that_is_not_there_is_no_outage(bucket: BucketServer) -> None:
    assert await raised(lambda: Storage(bucket.environment["OFFLOAD_STORAGE_URL"]).get("no/such/object")) is None


def test_a_full_disk_by_number_and_by_words() -> None:
    assert outage_of(OSError(errno.ENOSPC, "No space left on device")) == Outage("disk", "full")
    assert outage_of(ValueError("IoError: No space left on device (os error 28)")) == Outage("disk", "full")
    assert outage_of(OSError(errno.EACCES, "Permission denied")) is None
    groups = ExceptionGroup("two pages", [ValueError("a torn page"), OSError(errno.ENOSPC, "full")])
    assert outage_of(groups) == Outage("disk", "full")
