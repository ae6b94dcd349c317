"""PostgreSQL is killed, or gives no more connections, under exports: they wait, and none becomes a dead letter."""

import asyncio
import signal
from collections.abc import Callable, Iterator

import asyncpg
import pytest

from service.supervisor.valkey import EmbeddedValkey
from tests.production.harness import Installation
from tests.production.postgres import Postgres
from tests.waiting import wait_until_async

EXPORTS = 40
EXPORT = {"dataset": "events", "query_params": {}, "format": "csv"}
CONNECTIONS = 24


@pytest.fixture
def postgres() -> Iterator[Postgres]:
    server = Postgres(connections=CONNECTIONS, events=3_000)
    yield server
    server.stop()


@pytest.fixture
def exporting(install: Callable[..., Installation], postgres: Postgres, queue_server: EmbeddedValkey) -> Installation:
    installation = install(OFFLOAD_REDIS_URL=queue_server.url, OFFLOAD_DATABASE_URL=postgres.url)
    installation.start_web()
    installation.start_worker("tests.production.workers.Exporters")
    return installation


async def completed(installation: Installation) -> int:
    async with installation.client() as client:
        answer = await client.get("/api/jobs", params={"status": "completed", "limit": "200"})
    return len(answer.json()["jobs"]) if answer.status_code == 200 else 0


async def test_killed_in_mid_export(exporting: Installation, postgres: Postgres) -> None:
    await exporting.send(EXPORTS, pace_s=0, kind="csv-export", payload=EXPORT)
    await wait_until_async(lambda: completed(exporting))
    postgres.kill()
    await asyncio.sleep(9)
    more = asyncio.create_task(exporting.send(5, kind="csv-export", payload=EXPORT))
    await asyncio.to_thread(postgres.start)
    await more
    row = await exporting.count("PostgreSQL kill -9 for 9 s under exports")
    assert (row.jobs, row.lost, row.stuck, row.remarks) == (EXPORTS + 5, 0, 0, "")


async def test_all_connections_taken(exporting: Installation, postgres: Postgres) -> None:
    worker = exporting.processes[-1].process
    # The worker may not be through with the exports before there are no connections for them.
    worker.send_signal(signal.SIGSTOP)
    await exporting.send(EXPORTS, pace_s=0, kind="csv-export", payload=EXPORT)
    taken = []
    while True:
        try:
            taken.append(await postgres.connect())
        except asyncpg.TooManyConnectionsError:
            break
    worker.send_signal(signal.SIGCONT)
    await wait_until_async(lambda: met_outage(exporting))
    sending = asyncio.create_task(exporting.send(5, kind="csv-export", payload=EXPORT))
    await asyncio.sleep(5)
    for connection in taken:
        await connection.close()
    await sending
    row = await exporting.count("all connections of PostgreSQL taken under exports")
    assert (row.jobs, row.lost, row.stuck, row.remarks) == (EXPORTS + 5, 0, 0, "")


def met_outage(installation: Installation) -> bool:
    return any("job.met_outage" in process.output for process in installation.processes)
