"""csv-export in a real worker process: files under the job, the memory ceiling, cancel and retry."""

import csv
import gzip
import io
from datetime import UTC, datetime, timedelta
from typing import Any

import openpyxl
import pytest
from sqlalchemy import insert

from service.database import Base
from service.database.seed_events import seed_events
from service.engine.states import State
from service.engine.store import Job
from service.engine.worker.heartbeat import BEAT
from tasks.csv_export import Export, csv_export
from tests.exports.conftest import Parts
from tests.waiting import until_state, wait_until_async

on_sqlite = pytest.mark.parametrize("database_kind", ["sqlite"], indirect=True)
"""For what is the same on both databases."""


async def ended(services: Parts, export: Export, owner: str = "acme") -> Job:
    """The job of this export, once it has ended."""
    accepted = await services.enqueuer.enqueue(csv_export, export, owner=owner)
    return await until_state(services.store, accepted.job_id)


async def artefact(services: Parts, job: Job, name: str) -> bytes:
    path = services.jobs.artefact(job, name)
    assert path is not None
    return await services.storage.get(path)


async def add_events(services: Parts, count: int, **columns: Any) -> None:
    values = {
        "owner": "acme",
        "actor": "ada",
        "role": "owner",
        "action": "job.queued",
        "target_type": "job",
        "target_id": "j",
        "outcome": "done",
    }
    moment = datetime(2026, 1, 1, tzinfo=UTC)
    rows = [
        values
        | {"event_id": f"{columns.get('owner')}-{number}", "created_at": moment + timedelta(seconds=number)}
        | columns
        for number in range(count)
    ]
    async with services.database.writing() as session:
        await session.execute(insert(Base.metadata.tables["events"]), rows)


@pytest.mark.both_databases
async def test_an_export_ends_as_a_file_under_its_job(services: Parts, start_worker) -> None:
    await seed_events(services.database, 5_000, ["acme", "globex"])
    start_worker()
    for file_format, gzipped in (("csv", False), ("csv", True), ("xlsx", False)):
        export = Export(dataset="events", format=file_format, gzip=gzipped, columns=["event_id", "owner"])
        job = await ended(services, export)
        assert (job.state, job.error) == (State.COMPLETED, None)
        assert job.data == {"records_done": 2500, "total_records": 2500}
        (stored,) = job.artefacts
        assert job.result["rows"] == 2500 and job.result["bytes"] == stored["bytes"]
        expires = datetime.fromisoformat(job.result["expires_at"])
        assert timedelta(days=6, hours=23) < expires - datetime.now(UTC) <= timedelta(days=7)
        data = await artefact(services, job, stored["name"])
        if file_format == "xlsx":
            sheet = openpyxl.load_workbook(io.BytesIO(data), read_only=True)["Events"]
            rows = [list(row) for row in sheet.iter_rows(values_only=True)]
        else:
            plain = gzip.decompress(data) if gzipped else data
            rows = list(csv.reader(io.StringIO(plain.decode(), newline="")))
        assert rows[0] == ["event_id", "owner"]
        assert len(rows) == 2501 and {row[1] for row in rows[1:]} == {"acme"}


@on_sqlite
async def test_progress_tells_records(services: Parts, start_worker) -> None:
    await seed_events(services.database, 30_000, ["acme"])
    accepted = await services.enqueuer.enqueue(csv_export, Export(dataset="events", format="xlsx"), owner="acme")
    messages = []
    async with services.store.watch(accepted.job_id) as changes:
        start_worker()
        async for _ in changes:
            job = await services.store.present(accepted.job_id)
            messages.append((job.progress, job.message))
            if job.state.terminal:
                break
    assert messages[-1] == (100, "Done")
    counted = [message for _, message in messages if message.startswith("Generating report... ")]
    assert counted and all(message.endswith(" of 30,000 records") for message in counted)
    assert [percent for percent, _ in messages] == sorted(percent for percent, _ in messages)


@on_sqlite
async def test_an_export_over_its_memory_ceiling_fails_with_a_sentence_and_the_worker_lives(
    services: Parts, start_worker
) -> None:
    # A thousand rows of a chunk hold 300 MB: more than the child may have.
    await add_events(services, 300, owner="globex", detail="x" * (1 << 20))
    await add_events(services, 10)
    worker = start_worker(OFFLOAD_POOL_MB="256")
    for file_format in ("csv", "xlsx"):
        job = await ended(services, Export(dataset="events", format=file_format), owner="globex")
        assert job.state is State.FAILED and job.attempt == 1, "the same rows would need the same memory again"
        assert job.error is not None and job.error.startswith("The export used ")
        assert "over its ceiling of 256 MB" in job.error
        assert job.artefacts == [] and await services.storage.list(f"jobs/{job.id}") == []
    assert (await ended(services, Export(dataset="events"))).state is State.COMPLETED
    assert worker.poll() is None


async def test_cancelling_stops_the_child_and_leaves_no_file(services: Parts, start_worker, tmp_path) -> None:
    # Forty megabytes to compress: time to be caught at it.
    await add_events(services, 20_000, detail="The quick brown fox. " * 100)
    scratch = tmp_path / "scratch"
    scratch.mkdir()
    start_worker(TMPDIR=str(scratch))
    # Once through, so that the pool's child stands ready.
    await ended(services, Export(dataset="events", columns=["event_id"]))
    accepted = await services.enqueuer.enqueue(
        csv_export, Export(dataset="events", format="xlsx", columns=["detail"]), owner="acme"
    )

    async def under_way() -> bool:
        return (await services.store.present(accepted.job_id)).data.get("records_done", 0) > 0

    await wait_until_async(under_way)
    await services.store.cancel(accepted.job_id)
    job = await until_state(services.store, accepted.job_id)
    assert job.state is State.CANCELLED
    assert job.artefacts == [] and await services.storage.list(f"jobs/{job.id}") == []
    await wait_until_async(lambda: {path.name for path in scratch.glob("*/*")} == {BEAT})
    await services.store.retry(job.id)
    again = await until_state(services.store, job.id)
    sheet = openpyxl.load_workbook(io.BytesIO(await artefact(services, again, "export.xlsx")), read_only=True)["Events"]
    assert sum(1 for _ in sheet.iter_rows()) == 20_001
