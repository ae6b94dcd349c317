"""Releases side by side: a new field of a payload, and a migration of the database, in both directions."""

import asyncio
import sqlite3
from collections.abc import Callable
from contextlib import closing

import pytest

from service.database.migrate import newest_revision
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
    await wait_until_async(lambda: "newer" in old.output)
    assert installation.ledger.read_text() == ""
    installation.start_worker(**NEWER)
    row = await installation.count("deploy: a field is added, web before workers")
    assert (row.jobs, row.lost, row.twice, row.stuck, row.remarks) == (JOBS, 0, 0, 0, "")


@pytest.mark.parametrize("direction", ["forward", "back"])
async def test_a_migration(
    install: Callable[..., Installation], queue_server: EmbeddedValkey, sqlite_url: str, direction: str
) -> None:
    """Forward: the database is a revision behind. Back: it is one ahead of what this release knows."""
    with closing(sqlite3.connect(sqlite_url.partition(":///")[2])) as file:
        if direction == "back":
            file.execute("UPDATE alembic_version SET version_num = ?", (f"{int(newest_revision()) + 1:04}",))
        else:
            file.executescript("DROP TABLE api_keys; UPDATE alembic_version SET version_num = '0006';")
        file.commit()
    installation = install(OFFLOAD_REDIS_URL=queue_server.url, OFFLOAD_DATABASE_URL=sqlite_url)
    await asyncio.to_thread(installation.start_web)
    installation.start_worker()
    await installation.send(JOBS, pace_s=0)
    row = await installation.count(f"deploy: a migration, {direction}")
    assert (row.jobs, row.lost, row.twice, row.stuck, row.remarks) == (JOBS, 0, 0, 0, "")
