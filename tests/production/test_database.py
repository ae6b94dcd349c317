"""PostgreSQL is killed, or gives no more connections, under exports, a campaign and an erasure: nothing is lost."""

import asyncio
import json
import re
import signal
from collections import Counter
from collections.abc import Callable, Iterator

import asyncpg
import pytest

from service.engine.redis.client import connect
from service.engine.store import keys
from service.supervisor.valkey import EmbeddedValkey
from tests.mail.campaigning import ended, make_template, submit
from tests.mail.servers import serving
from tests.production.harness import STARTED_S, Installation, Process
from tests.production.postgres import Postgres
from tests.waiting import wait_until_async

EXPORTS = 40
EXPORT = {"dataset": "events", "query_params": {}, "format": "csv"}
CONNECTIONS = 24
RECIPIENTS = 1_500


@pytest.fixture
def postgres() -> Iterator[Postgres]:
    server = Postgres(connections=CONNECTIONS, events=3_000, users=RECIPIENTS)
    yield server
    server.stop()


@pytest.fixture
def exporting(install: Callable[..., Installation], postgres: Postgres, queue_server: EmbeddedValkey) -> Installation:
    installation = installed(install, postgres, queue_server)
    installation.start_worker("tests.production.workers.Exporters")
    return installation


def installed(install: Callable[..., Installation], postgres: Postgres, queue_server: EmbeddedValkey) -> Installation:
    installation = install(OFFLOAD_REDIS_URL=queue_server.url, OFFLOAD_DATABASE_URL=postgres.url)
    installation.start_web()
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


async def test_killed_in_mid_campaign(
    install: Callable[..., Installation], postgres: Postgres, queue_server: EmbeddedValkey
) -> None:
    """What was sent is in the worker's journal when the database is gone: each recipient gets one message all the same."""
    installation = await asyncio.to_thread(installed, install, postgres, queue_server)
    async with serving() as sink, installation.client() as client:
        mails = {"OFFLOAD_SMTP_URL": sink.url, "OFFLOAD_QUEUES__EMAIL_SENDER__RATE_PER_MINUTE": "0"}
        sink.delay_s = 0.01
        await asyncio.to_thread(lambda: installation.start_worker("tests.production.workers.Mailers", **mails))
        campaign = await submit(client, segment="all", template_id=await make_template(client))
        await wait_until_async(lambda: len(sink.caught) > RECIPIENTS // 5)
        postgres.kill()
        await wait_until_async(lambda: met_outage(installation) or "database" in installation.processes[-1].output)
        assert len(sink.caught) < RECIPIENTS
        await asyncio.sleep(9)
        await asyncio.to_thread(postgres.start)
        status = await ended(client, campaign)
        report = (await client.get(f"/api/jobs/{campaign}/files/report.json")).json()
    assert status["status"] == "completed", status
    assert set(sink.by_recipient.values()) == {1} and len(sink.caught) == RECIPIENTS
    assert Counter(row["outcome"] for row in report) == {"sent": RECIPIENTS}


async def test_killed_in_mid_erasure(
    install: Callable[..., Installation], postgres: Postgres, queue_server: EmbeddedValkey
) -> None:
    installation = await asyncio.to_thread(installed, install, postgres, queue_server)
    await installation.send(EXPORTS, pace_s=0, kind="csv-export", payload=EXPORT)
    target = installation.folder / "acme.json"

    def started() -> Process:
        return installation.start("service.cli.main", "erase", "--owner", "acme", "--yes", "--list", str(target))

    # The keys go first: the erasure waits there, with its beginning noted.
    holder = await postgres.connect()
    await holder.execute("BEGIN; LOCK TABLE api_keys IN SHARE MODE")
    first, redis = started(), connect(queue_server.url)
    await wait_until_async(lambda: redis.exists(keys.ERASING), STARTED_S)
    postgres.kill()
    holder.terminate()
    assert await asyncio.to_thread(first.process.wait, 60) == 1
    assert re.fullmatch(
        r"Error: The database is .*\. What was removed so far .* run the command again\.\n", first.output
    )
    await asyncio.to_thread(postgres.start)
    again = started()
    assert await asyncio.to_thread(again.process.wait, STARTED_S) == 0, again.output
    assert json.loads(target.read_bytes())["removed"]["jobs"] == EXPORTS
    assert not await redis.exists(keys.ERASING)
    await redis.aclose(close_connection_pool=True)


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
