"""Migrations and transactions, on SQLite and on PostgreSQL."""

import asyncio
import sqlite3
import sys
import threading
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from datetime import UTC, datetime, timedelta, timezone
from pathlib import Path

import pytest
from alembic.autogenerate import compare_metadata
from alembic.migration import MigrationContext
from alembic.script import ScriptDirectory
from sqlalchemy import func, select, text
from sqlalchemy.exc import DBAPIError

from service.database import Base, Document, open_database
from service.database.connection import write_ahead
from service.database.migrate import MIGRATIONS, current_revision, newest_revision
from service.documents import listing
from service.documents.listing import DocumentFilter, list_documents


@pytest.fixture(params=["sqlite", "postgresql"])
def url(request: pytest.FixtureRequest, tmp_path: Path) -> str:
    """Where no table is yet."""
    if request.param == "sqlite":
        return f"sqlite+aiosqlite:///{tmp_path}/folder/offload.db"
    empty: str = request.getfixturevalue("empty_postgres_url")
    return empty


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


async def test_the_newest_revision_is_that_of_the_last_file(url: str) -> None:
    assert ScriptDirectory(str(MIGRATIONS)).get_current_head() == newest_revision()
    async with open_database(url) as database, database.engine.connect() as connection:
        assert await connection.run_sync(current_revision) == newest_revision()


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


def test_a_new_file_gets_its_log_from_one_of_many_that_open_it_at_once(tmp_path: Path) -> None:
    together = 8
    barrier = threading.Barrier(together)

    def use(file: Path) -> None:
        barrier.wait()
        write_ahead(str(file))
        with closing(sqlite3.connect(file, timeout=60)) as connection, connection:
            connection.execute("CREATE TABLE IF NOT EXISTS used (how TEXT)")
            connection.execute("INSERT INTO used VALUES ('by one of them')")

    with ThreadPoolExecutor(together) as threads:
        for file in (tmp_path / f"{number}.db" for number in range(30)):
            list(threads.map(use, [file] * together))
            with closing(sqlite3.connect(file)) as connection:
                assert connection.execute("PRAGMA journal_mode").fetchone() == ("wal",)
                assert connection.execute("SELECT count(*) FROM used").fetchone() == (together,)


async def test_a_moment_comes_back_as_the_same_moment_in_utc(url: str) -> None:
    moment = datetime(2026, 3, 29, 1, 30, 0, 123456, tzinfo=timezone(timedelta(hours=5)))
    async with open_database(url) as database:
        async with database.writing() as session:
            session.add(document("a", created_at=moment))
        async with database.reading() as session:
            stored = await session.get_one(Document, "a")
        assert stored.created_at == moment and stored.created_at.tzinfo is UTC
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
                stored = await session.get_one(Document, "counted", with_for_update=True)
                await asyncio.sleep(0)
                stored.bytes += 1

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


async def test_documents_are_listed_newest_first_without_a_gap(url: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """Several of one instant, wildcards in names, and a filter that finds nothing within what a page may look at."""
    kinds = ("application/pdf", "image/png")
    async with open_database(url) as database:
        async with database.writing() as session:
            for number in range(30):
                moment = datetime(2026, 1, 1, tzinfo=UTC) + timedelta(seconds=number // 3)
                name, owner = ("100%_Über.pdf" if number == 4 else f"scan {number}.pdf"), ("acme", "globex")[number % 2]
                session.add(
                    document(f"{number:02}", name=name, owner=owner, media_type=kinds[number % 2], created_at=moment)
                )

        async def ids(**wanted: str) -> list[str]:
            found: list[str] = []
            cursor = None
            while True:
                page = await list_documents(database, DocumentFilter(**wanted), limit=4, cursor=cursor)
                found += [one.file_id for one in page.documents]
                cursor = page.next_cursor
                if cursor is None:
                    return found

        newest_first = [f"{number:02}" for number in reversed(range(30))]
        assert await ids() == newest_first
        assert await ids(owner="globex") == await ids(kind="image") == await ids(kind="png") == newest_first[::2]
        assert await ids(kind="gif") == await ids(owner="nobody") == await ids(name="n_") == []
        assert await ids(name="0%_ÜBER" if not database.sqlite else "0%_Über") == ["04"]
        monkeypatch.setattr(listing, "EXAMINED_MAX", 7)
        assert await ids(name="100%") == ["04"] and await ids(name="SCAN", owner="acme", kind="png") == []
        assert await ids(name="Scan", owner="globex") == newest_first[::2]
        for wrong in ({"cursor": "nonsense"}, {"cursor": "bm8gZGF0ZQ=="}):
            with pytest.raises(ValueError, match="cursor that leads nowhere"):
                await list_documents(database, DocumentFilter(), limit=4, **wrong)
        with pytest.raises(ValueError, match="no kind docx"):
            await list_documents(database, DocumentFilter(kind="docx"), limit=4)


async def test_no_error_s_text_holds_what_was_to_be_stored(url: str) -> None:
    async with open_database(url) as database, database.reading() as session:
        with pytest.raises(DBAPIError) as failed:
            await session.execute(text("SELECT :address FROM nowhere"), {"address": "eva@example.com"})
    assert "nowhere" in str(failed.value) and "eva@" not in str(failed.value)


async def test_the_log_of_a_file_stays_between_sessions_and_goes_with_the_last_process(tmp_path: Path) -> None:
    log = tmp_path / "offload.db-wal"
    async with open_database(f"sqlite+aiosqlite:///{tmp_path}/offload.db") as database:
        async with database.writing() as session:
            session.add(document("file-1"))
        before = log.stat().st_ino
        async with database.reading() as session:
            assert await session.scalar(select(func.count()).select_from(Document)) == 1
        assert log.stat().st_ino == before
        with closing(sqlite3.connect(tmp_path / "offload.db", timeout=0, isolation_level=None)) as other:
            other.execute("VACUUM")
            assert other.execute("PRAGMA wal_checkpoint(TRUNCATE)").fetchone()[0] == 0, "no session, no lock"
    assert not log.exists()
