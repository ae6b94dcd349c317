"""Jobs asked for within the caller's own transaction, and the relay that moves them: on SQLite and PostgreSQL."""

import asyncio
import sqlite3
import sys
from asyncio.subprocess import PIPE, STDOUT
from collections.abc import AsyncIterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import httpx
import pytest
from sqlalchemy import create_engine, text
from sqlalchemy.ext.asyncio import AsyncEngine, create_async_engine
from sqlalchemy.orm import Session

from offload_client import outbox
from service.cli.client import CliError
from service.cli.outbox import TABLE, Away, Relay, in_order
from service.engine.store import keys
from tests.api.conftest import ACME, Served
from tests.ports import free_port

EXPORT = {"dataset": "users", "format": "csv"}


@pytest.fixture(params=["sqlite", "postgresql"])
def app_url(request: pytest.FixtureRequest, tmp_path: Path) -> str:
    if request.param == "sqlite":
        return f"sqlite+aiosqlite:///{tmp_path}/app.sqlite"
    url: str = request.getfixturevalue("empty_postgres_url")
    return url


@pytest.fixture
async def engine(app_url: str) -> AsyncIterator[AsyncEngine]:
    """The application's own database, with the table."""
    engine = create_async_engine(app_url)
    async with engine.begin() as connection:
        for statement in outbox.schema(connection.dialect.name):
            await connection.execute(text(statement))
    yield engine
    await engine.dispose()


@pytest.fixture
async def relay(engine: AsyncEngine, served: Served) -> AsyncIterator[Relay]:
    async with httpx.AsyncClient(base_url=served.url, headers={"Authorization": f"Bearer {ACME}"}) as http:
        yield Relay(engine, http)


async def drained(relay: Relay) -> None:
    async with asyncio.timeout(30):
        await relay.run(asyncio.Event(), once=True)


async def rows(relay: Relay, columns: str) -> list[tuple[Any, ...]]:
    async with relay.engine.connect() as connection:
        found = await connection.execute(text(f"SELECT {columns} FROM {TABLE} ORDER BY id"))
        return [tuple(row) for row in found]


async def test_what_is_committed_becomes_one_job_and_what_is_rolled_back_none(
    relay: Relay, acme: httpx.AsyncClient
) -> None:
    async with relay.engine.connect() as connection:
        await outbox.enqueue_async(connection, "csv-export", EXPORT, idempotency_key="never")
        await connection.rollback()
        later = datetime(2099, 1, 1, tzinfo=UTC)
        await outbox.enqueue_async(connection, "csv-export", EXPORT, priority="high", schedule_at=later)
        await connection.commit()
    await drained(relay)
    (job,) = (await acme.get("/api/jobs")).json()["jobs"]
    assert (job["status"], job["priority"]) == ("scheduled", "high")
    assert await rows(relay, "job_id, parked") == [(job["id"], None)]
    # It died between the answer and its note: the row is sent again, and is the same job.
    async with relay.engine.begin() as connection:
        await connection.execute(text(f"UPDATE {TABLE} SET sent_ms = NULL, job_id = NULL"))
    await drained(relay)
    assert await rows(relay, "job_id, parked") == [(job["id"], None)]
    assert len((await acme.get("/api/jobs")).json()["jobs"]) == 1


async def test_a_row_is_known_for_a_month_whatever_becomes_of_its_job(relay: Relay, served: Served) -> None:
    async with relay.engine.begin() as connection:
        await outbox.enqueue_async(connection, "csv-export", EXPORT, idempotency_key="row")
    await drained(relay)
    ((job_id,),) = await rows(relay, "job_id")
    store = served.services.store
    assert await store.redis.ttl(keys.idempotency("acme", "row")) > 29 * 86_400
    await store.cancel(job_id)
    assert await served.services.jobs.delete(job_id) is None
    async with relay.engine.begin() as connection:
        await connection.execute(text(f"UPDATE {TABLE} SET sent_ms = NULL, job_id = NULL"))
    await drained(relay)
    assert await rows(relay, "job_id, parked") == [(job_id, None)]
    assert (await store.list(owner="acme", state="queued")).jobs == []


async def test_a_row_that_is_refused_is_parked_with_its_sentence_and_the_rest_goes_on(
    relay: Relay, acme: httpx.AsyncClient
) -> None:
    async with relay.engine.begin() as connection:
        for job_type, payload in (
            ("csv-export", EXPORT),
            ("nothing", {}),
            ("csv-export", {"dataset": "users", "format": "xml", "colour": 1}),
            ("pdf-ocr", {"file_id": "nope"}),
            ("csv-export", EXPORT),
        ):
            await outbox.enqueue_async(connection, job_type, payload)
        # As no client of ours writes it: the whole request is unreadable.
        await connection.execute(text(f"UPDATE {TABLE} SET options = '{{\"colour\": 1}}' WHERE job_type = 'pdf-ocr'"))
    await drained(relay)
    parked = [row[0] for row in await rows(relay, "parked")]
    assert parked[0] is None and parked[4] is None
    assert parked[1].startswith("There is no job type nothing: ")
    assert parked[2].startswith("2 fields are wrong.")
    assert "format must be csv or xlsx." in parked[2] and "colour" in parked[2]
    assert "colour" in parked[3]
    assert len((await acme.get("/api/jobs")).json()["jobs"]) == 2


async def test_an_absence_and_a_limit_are_waited_out_and_nothing_overtakes(
    relay: Relay, served: Served, monkeypatch: pytest.MonkeyPatch
) -> None:
    async with relay.engine.begin() as connection:
        for number in range(3):
            await outbox.enqueue_async(connection, "csv-export", EXPORT, ordering="a", idempotency_key=f"row-{number}")
    async with (
        httpx.AsyncClient(base_url=f"http://127.0.0.1:{free_port()}") as anonymous,
        relay.engine.connect() as connection,
    ):
        with pytest.raises(Away, match="Offload does not answer"):
            await Relay(relay.engine, anonymous).move(connection)
    enqueuer = served.services.enqueuer
    queues = enqueuer.preparation.queues
    bounded = {name: queue.model_copy(update={"owner_limit": 2}) for name, queue in queues.items()}
    monkeypatch.setattr(enqueuer.preparation, "queues", bounded)
    async with relay.engine.connect() as connection:
        with pytest.raises(Away, match="2 of your jobs are waiting already"):
            await relay.move(connection)
    assert [row[0] is not None for row in await rows(relay, "sent_ms")] == [True, True, False]
    monkeypatch.setattr(enqueuer.preparation, "queues", queues)
    await drained(relay)
    assert all(row[0] for row in await rows(relay, "sent_ms"))


async def test_a_key_that_is_not_taken_ends_the_relay_with_a_sentence(relay: Relay) -> None:
    async with relay.engine.begin() as connection:
        await outbox.enqueue_async(connection, "csv-export", EXPORT)
    relay.http.headers["Authorization"] = "Bearer wrong"
    with pytest.raises(CliError, match="Offload does not take the key"):
        await drained(relay)
    assert await rows(relay, "sent_ms, parked") == [(None, None)]


@pytest.mark.parametrize(
    ("given", "stored"),
    [
        ([("a", "x"), ("a", "x"), ("b", "y")], [0, 1, 2]),
        # The third would overtake the second.
        ([("a", "x"), ("a", "y"), ("a", "x")], [0]),
        ([(None, "x"), (None, "y"), ("a", "x")], [0, 1, 2]),
    ],
)
def test_a_request_holds_what_cannot_overtake_another(given: list[tuple[str | None, str]], stored: list[int]) -> None:
    found = [{"id": number, "ordering": one[0], "job_type": one[1]} for number, one in enumerate(given)]
    assert [row["id"] for row in in_order(found)] == stored


def test_connections_cursors_and_sessions_of_the_caller_write_the_same_row(tmp_path: Any) -> None:
    path = tmp_path / "app.sqlite"
    with sqlite3.connect(path) as own:
        for statement in outbox.schema("sqlite"):
            own.execute(statement)
        outbox.enqueue(own, "csv-export", EXPORT)
        outbox.enqueue(own.cursor(), "csv-export", EXPORT)
    engine = create_engine(f"sqlite:///{path}")
    with Session(engine) as session:
        outbox.enqueue(session, "csv-export", EXPORT, ordering="a")
        session.commit()
    engine.dispose()
    with sqlite3.connect(path) as own:
        found = own.execute(f"SELECT job_type, payload, options, ordering FROM {TABLE} ORDER BY id").fetchall()
    assert found == [("csv-export", '{"dataset": "users", "format": "csv"}', "{}", one) for one in (None, None, "a")]
    with pytest.raises(TypeError, match="colour is not an option of a job"):
        outbox.enqueue(own, "csv-export", EXPORT, colour="red")
    with pytest.raises(TypeError, match="with its time zone"):
        outbox.enqueue(own, "csv-export", EXPORT, schedule_at=datetime(2099, 1, 1))


async def test_the_command_moves_what_waits_and_counts_what_is_parked(relay: Relay, served: Served) -> None:
    async with relay.engine.begin() as connection:
        await outbox.enqueue_async(connection, "csv-export", EXPORT)
        await outbox.enqueue_async(connection, "nothing", {})
    url = relay.engine.url.render_as_string(hide_password=False)
    arguments = ["relay", "--database-url", url, "--server", served.url, "--key", ACME]

    async def offload(*more: str) -> tuple[int | None, str]:
        ran = await asyncio.create_subprocess_exec(
            sys.executable, "-m", "service.cli.main", *arguments, *more, stdout=PIPE, stderr=STDOUT
        )
        printed, _ = await ran.communicate()
        return ran.returncode, printed.decode()

    code, printed = await offload("--status")
    assert code == 0 and printed.startswith("2 waiting, the oldest for ")
    await relay.engine.dispose()
    code, printed = await offload("--once")
    assert code == 0 and "There is no job type nothing" in printed
    assert await offload("--status") == (1, "0 waiting; 1 parked\n")
