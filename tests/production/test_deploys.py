"""Releases side by side: a new field of a payload, and a migration of the database, in both directions."""

import asyncio
import sqlite3
from collections.abc import Callable
from contextlib import closing
from pathlib import Path

import pytest
from alembic import command
from alembic.config import Config
from sqlalchemy import Connection

from service.database.connection import Database
from service.database.migrate import MIGRATIONS, newest_revision, revisions
from service.supervisor.valkey import EmbeddedValkey
from tests.production.harness import Installation
from tests.waiting import wait_until_async

JOBS = 30
NEWER = {"PRODUCTION_RELEASE": "newer"}


async def test_a_new_web_process_adds_a_field_beside_an_old_worker(
    install: Callable[..., Installation], queue_server: EmbeddedValkey
) -> None:
    installation = install(OFFLOAD_REDIS_URL=queue_server.url)
    installation.start_web(**NEWER)
    old = installation.start_worker()
    await installation.send(JOBS, pace_s=0, payload={"colour": "blue"})
    await wait_until_async(lambda: "job.payload_too_new" in old.output)
    assert installation.ledger.read_text() == ""
    old.end()
    installation.start_worker(**NEWER)
    row = await installation.count("deploy: a field is added, web before workers")
    assert (row.jobs, row.lost, row.twice, row.stuck, row.remarks) == (JOBS, 0, 0, 0, "")


@pytest.mark.parametrize("direction", ["forward", "back"])
async def test_a_migration(
    install: Callable[..., Installation], queue_server: EmbeddedValkey, sqlite_url: str, tmp_path: Path, direction: str
) -> None:
    """Forward: the database is a revision behind. Back: it is one ahead of what this release knows."""
    if direction == "forward":
        url = f"sqlite+aiosqlite:///{tmp_path}/behind.db"
        await at_revision(url, sorted(revisions())[-2])
    else:
        url = sqlite_url
        with closing(sqlite3.connect(url.partition(":///")[2])) as file:
            file.execute("UPDATE alembic_version SET version_num = ?", (f"{int(newest_revision()) + 1:04}",))
            file.commit()
    installation = install(OFFLOAD_REDIS_URL=queue_server.url, OFFLOAD_DATABASE_URL=url)
    await asyncio.to_thread(installation.start_web)
    installation.start_worker()
    await installation.send(JOBS, pace_s=0)
    row = await installation.count(f"deploy: a migration, {direction}")
    assert (row.jobs, row.lost, row.twice, row.stuck, row.remarks) == (JOBS, 0, 0, 0, "")


async def at_revision(url: str, revision: str) -> None:
    """A database as an earlier release has left it."""

    def upgrade(connection: Connection) -> None:
        config = Config()
        config.set_main_option("script_location", str(MIGRATIONS))
        config.attributes["connection"] = connection
        command.upgrade(config, revision)

    database = Database(url)
    async with database.engine.begin() as connection:
        await connection.run_sync(upgrade)
    await database.close()
