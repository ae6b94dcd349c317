"""Starting against a database that another release has migrated, or is migrating."""

import asyncio
import sys

import pytest
from sqlalchemy import text

from service.database import open_database
from service.database.migrate import ADVISORY_LOCK, WrongRevision, current_revision, newest_revision

OPEN = (
    "import asyncio, sys\nfrom service.database import open_database\n"
    "async def main():\n    async with open_database(sys.argv[1]) as database: await database.check()\n"
    "asyncio.run(main())"
)


@pytest.fixture(params=["sqlite", "postgresql"])
def url(request: pytest.FixtureRequest) -> str:
    migrated: str = request.getfixturevalue("sqlite_url" if request.param == "sqlite" else "postgres_url")
    return migrated


async def set_revision(url: str, revision: str) -> None:
    async with open_database(url) as database, database.writing() as session:
        await session.execute(text("UPDATE alembic_version SET version_num = :to"), {"to": revision})


async def test_a_database_of_a_newer_release_is_taken_as_it_is(url: str, capsys: pytest.CaptureFixture[str]) -> None:
    newer = f"{int(newest_revision()) + 3:04}"
    await set_revision(url, newer)
    async with open_database(url) as database:
        await database.check()
        async with database.engine.connect() as connection:
            assert await connection.run_sync(current_revision) == newer, "nothing is set back"
    message = [line for line in capsys.readouterr().out.splitlines() if "database.newer_than_release" in line]
    assert len(message) == 1 and newer in message[0]


@pytest.mark.parametrize("revision", ["ae1027a6acf", "0000", "x"])
async def test_a_revision_of_nobodys_is_a_sentence(url: str, revision: str) -> None:
    await set_revision(url, revision)
    with pytest.raises(WrongRevision, match=f"{revision}.*docs/upgrading.md"):
        async with open_database(url):
            pass


async def test_waiting_for_anothers_migration_outlives_a_statement_timeout(empty_postgres_url: str) -> None:
    async with open_database(empty_postgres_url) as database:
        name = database.url.database
        async with database.engine.connect() as other:
            # As a process that is in the middle of its migration: the lock is held, and what it does is not seen yet.
            await other.execute(text(f'ALTER DATABASE "{name}" SET statement_timeout = 1000'))
            await other.execute(text("DROP TABLE alembic_version CASCADE"))
            await other.commit()
            await other.execute(text(f"SELECT pg_advisory_lock({ADVISORY_LOCK})"))
            await other.commit()
            starting = await asyncio.create_subprocess_exec(
                sys.executable, "-c", OPEN, empty_postgres_url, stderr=asyncio.subprocess.PIPE
            )

            async def waits() -> bool:
                query = "SELECT count(*) FROM pg_stat_activity WHERE wait_event = 'advisory' AND now() - query_start > '3 s'"
                found = await other.scalar(text(query))
                await other.commit()
                return bool(found) or starting.returncode is not None

            from tests.waiting import wait_until_async

            await wait_until_async(waits)
            assert starting.returncode is None, "three times as long as a statement may take"
            await other.execute(text("CREATE TABLE alembic_version (version_num VARCHAR(32) NOT NULL)"))
            await other.execute(text(f"INSERT INTO alembic_version VALUES ('{newest_revision()}')"))
            await other.commit()
            await other.execute(text(f"SELECT pg_advisory_unlock({ADVISORY_LOCK})"))
            await other.commit()
            _, errors = await starting.communicate()
        assert starting.returncode == 0, errors.decode()
