"""`LocalRun`, which tests of tasks use, and `JobRun`, which workers use, do the same."""

import inspect
import json
from pathlib import Path
from typing import Any

import pytest

from service.database import Document, open_database
from service.engine.enqueuer import Enqueuer
from service.engine.states import State
from service.engine.store import Job, Store
from service.engine.worker.job_run import JobRun
from service.lib.storage.object_storage import Storage
from settings import load_settings
from tasks.sdk.errors import Permanent
from tasks.sdk.run import Run
from tasks.sdk.testing import LocalRun
from tests.engine.run_contract import Contract, Reader, contract_reader, run_contract
from tests.waiting import wait_until_async

FILE_ID = "file-" + "1" * 32

DECISION = b'{"approved":true,"comment":"fine"}'

EXPECTED_PARTS = [
    [1, "completed", {"number": 0, "attempt": 1}, None],
    [2, "completed", {"number": 1, "attempt": 2}, None],
    [3, "failed", None, "ValueError: number 2 never works"],
    [4, "failed", None, "Number 3 cannot be done."],
]


async def ended(store: Store, job_id: str) -> Job:
    async def terminal() -> bool:
        return State((await store.present(job_id)).state).terminal

    await wait_until_async(terminal)
    return await store.present(job_id)


async def waiting_for(store: Store, job_id: str, event: str) -> Job:
    """The job once it has been put aside for the event."""

    async def aside() -> bool:
        job = await store.present(job_id)
        assert not job.state.terminal, (job.error, await store.attempts(job_id))
        return job.waiting_for == event

    await wait_until_async(aside)
    return await store.present(job_id)


async def put_file() -> None:
    """The file of the contract, as an upload would have left it."""
    settings = load_settings()
    await Storage(settings.storage_url).put("documents/contract", b"data")
    async with open_database(settings.database_url) as database, database.writing() as session:
        session.add(
            Document(
                file_id=FILE_ID,
                owner="acme",
                name="data.bin",
                bytes=4,
                sha256="0" * 64,
                media_type="application/octet-stream",
                pages=None,
                path="documents/contract",
            )
        )


async def under_a_worker(store: Store, enqueuer: Enqueuer) -> tuple[str, dict[str, Any]]:
    await put_file()
    accepted = await enqueuer.enqueue(run_contract, Contract(file_id=FILE_ID), owner="acme")
    waiting = await waiting_for(store, accepted.job_id, "approved")
    assert (waiting.message, waiting.worker) == ("Is it good enough?", None)
    await store.event_came(accepted.job_id, "approved", DECISION, "acme")
    job = await ended(store, accepted.job_id)
    assert job.state == State.COMPLETED, (job.error, await store.attempts(job.id))
    files = Storage(load_settings().storage_url)
    return job.id, {
        "result": job.result,
        "data": job.data,
        "artefacts": job.artefacts,
        "contents": [await files.get(f"jobs/{job.id}/files/{one['name']}") for one in job.artefacts],
        "torn": await files.exists(f"jobs/{job.id}/files/torn.txt"),
    }


async def under_local_run(folder: Path, job_id: str) -> dict[str, Any]:
    run = LocalRun(folder, owner="acme", job_id=job_id, events={"approved": json.loads(DECISION)})
    run.files.add(FILE_ID, b"data")
    result = await run.execute(run_contract, Contract(file_id=FILE_ID))
    assert [(job.name, payload.word) for job, payload in run.following] == [("probe-echo", "after")]
    assert run.progress_percent == 95
    return {
        "result": result,
        "data": run.data,
        "artefacts": run.artefacts,
        "contents": [run.artefact_bytes(one["name"]) for one in run.artefacts],
        "torn": (folder / "artefacts" / "torn.txt").exists(),
    }


async def test_a_job_meets_the_same_under_a_worker_and_under_a_local_run(
    store: Store, enqueuer: Enqueuer, start_worker, tmp_path: Path
) -> None:
    start_worker()
    job_id, real = await under_a_worker(store, enqueuer)
    local = await under_local_run(tmp_path / "local", job_id)
    assert local == real
    assert real["result"]["parts"][:4] == EXPECTED_PARTS
    assert real["result"]["decision"] == {"approved": True, "comment": "fine"}
    assert real["result"]["more"] == [EXPECTED_PARTS[0], [2, *EXPECTED_PARTS[3][1:]]]
    assert "is a part of a job and cannot have parts of its own" in real["result"]["parts"][4][3]
    assert [one["name"] for one in real["artefacts"]] == ["path.txt", "pieces.txt", "bytes.txt"]
    assert real["contents"] == [b"from a file", b"one two", b"again"] and not real["torn"]


async def test_a_task_reads_a_file_of_another_job_of_its_owner_only(
    store: Store, enqueuer: Enqueuer, start_worker, tmp_path: Path
) -> None:
    start_worker()
    await put_file()
    accepted = await enqueuer.enqueue(run_contract, Contract(file_id=FILE_ID), owner="acme")
    await store.event_came(accepted.job_id, "approved", DECISION, "acme")
    await ended(store, accepted.job_id)
    cases = [
        ("acme", Reader(job_id=accepted.job_id, name="bytes.txt"), "again"),
        ("acme", Reader(job_id=accepted.job_id, name="none.txt"), f"The job {accepted.job_id} has no file 'none.txt'."),
        ("globex", Reader(job_id=accepted.job_id, name="bytes.txt"), f"There is no job {accepted.job_id}."),
    ]
    for owner, payload, expected in cases:
        reader = await ended(store, (await enqueuer.enqueue(contract_reader, payload, owner=owner)).job_id)
        assert (reader.result or reader.error) == expected
    run = LocalRun(tmp_path / "local")
    run.add_job(accepted.job_id, {"bytes.txt": b"again"})
    assert await run.execute(contract_reader, cases[0][1]) == "again"
    with pytest.raises(Permanent, match=r"has no file 'none\.txt'"):
        await run.execute(contract_reader, cases[1][1])
    with pytest.raises(Permanent, match="There is no job"):
        await LocalRun(tmp_path / "other").execute(contract_reader, cases[2][1])


@pytest.mark.parametrize("implementation", [JobRun, LocalRun])
def test_every_call_of_the_protocol_has_the_same_parameters(implementation: type) -> None:
    calls = [name for name, member in vars(Run).items() if inspect.isfunction(member) and not name.startswith("_")]
    assert "log" in calls and "parts" in calls
    for name in calls:
        promised = inspect.signature(getattr(Run, name)).parameters
        given = inspect.signature(getattr(implementation, name)).parameters
        assert [(one.name, one.kind, one.default) for one in given.values()] == [
            (one.name, one.kind, one.default) for one in promised.values()
        ], name


def test_a_local_run_is_a_run(tmp_path: Path) -> None:
    run: Run = LocalRun(tmp_path)
    for name in (*Run.__annotations__, "scratch"):
        assert getattr(run, name) is not None
