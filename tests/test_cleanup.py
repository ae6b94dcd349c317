"""What the clean-ups remove, and what they leave alone."""

import os
import tempfile
import time
from collections.abc import AsyncIterator
from datetime import timedelta
from pathlib import Path

import pytest

from service.cleanup import LeftoverFiles
from service.database import Document, Upload, UploadPiece, open_database
from service.database.column_types import utc_now
from service.engine.enqueuer import Enqueuer
from service.engine.job_files import artefact_path
from service.engine.payload_files import INLINE_BYTES_MAX, PayloadFiles
from service.engine.states import State
from service.engine.store import keys
from service.engine.terms import Replace, Terms
from service.lib.storage.object_storage import Storage
from tasks.csv_export import Export, csv_export
from tasks.ports.upkeep import Swept
from tests.engine import probe
from tests.parts import Parts

HOUR_S = 3600


@pytest.fixture
async def storage(parts: Parts) -> Storage:
    return Storage(parts.settings.storage_url)


@pytest.fixture
async def leftovers(parts: Parts, storage: Storage) -> AsyncIterator[LeftoverFiles]:
    async with open_database(parts.settings.database_url) as database:
        async with database.writing() as session:
            facts = {"owner": "acme", "name": "a.pdf", "bytes": 3, "sha256": "0" * 64, "media_type": "application/pdf"}
            session.add(Document(file_id="file-known", path="documents/file-known/content", pages=1, **facts))
        yield LeftoverFiles(parts.settings, parts.store, storage, database)


def aged(path: Path | None, hours: float) -> None:
    assert path is not None
    at = time.time() - hours * HOUR_S
    os.utime(path, (at, at))


async def test_uploads_that_were_broken_off(parts: Parts, leftovers: LeftoverFiles) -> None:
    folder = parts.settings.data_dir / "uploads"
    assert await leftovers.uploads(HOUR_S) == Swept()
    folder.mkdir(parents=True)
    for name, hours in {"old.part": 2, "new.part": 0.5, "not-ours.txt": 9}.items():
        (folder / name).write_bytes(b"12345")
        aged(folder / name, hours)
    assert await leftovers.uploads(HOUR_S) == Swept(1, 5)
    assert await leftovers.uploads(HOUR_S) == Swept()
    assert {path.name for path in folder.iterdir()} == {"new.part", "not-ours.txt"}


async def test_uploads_whose_time_is_over_and_pieces_that_none_counts(
    parts: Parts, leftovers: LeftoverFiles, storage: Storage
) -> None:
    paths = {
        "uploads/upload-going/0-counted": True,
        "uploads/upload-going/0-lost-the-race": False,
        "uploads/upload-late/0-counted": False,
        "uploads/upload-done/0-counted": False,
        "uploads/upload-direct/content": True,
        "uploads/upload-gone/0-counted": False,
    }
    for path in paths:
        await storage.put(path, b"123")
        aged(storage.local_path(path), 2)
    hour = timedelta(hours=1)
    async with open_database(parts.settings.database_url) as database, database.writing() as session:
        for name, left in {"going": hour, "late": -hour, "done": hour, "direct": hour}.items():
            facts = {"owner": "acme", "name": "a.pdf", "bytes": 9, "described": "", "expires_at": utc_now() + left}
            file_id = "file-known" if name == "done" else None
            session.add(Upload(upload_id=f"upload-{name}", file_id=file_id, presigned=name == "direct", **facts))
        for name in ("going", "late"):
            path = f"uploads/upload-{name}/0-counted"
            session.add(UploadPiece(upload_id=f"upload-{name}", start=0, bytes=3, path=path))
    assert await leftovers.uploads(HOUR_S) == Swept(4, 12)
    assert await leftovers.uploads(HOUR_S) == Swept()
    assert {path: await storage.exists(path) for path in paths} == paths


async def test_bytes_stay_that_another_document_shares(
    leftovers: LeftoverFiles, storage: Storage, parts: Parts
) -> None:
    async with open_database(parts.settings.database_url) as database, database.writing() as session:
        facts = {"owner": "acme", "name": "a.pdf", "bytes": 3, "sha256": "1" * 64, "media_type": "application/pdf"}
        session.add(Document(file_id="file-second", path="documents/file-first/content", pages=1, **facts))
    for path in ("documents/file-first/content", "documents/file-first/page-1.webp"):
        await storage.put(path, b"123")
        aged(storage.local_path(path), 48)
    assert await leftovers.unnamed(24 * HOUR_S) == Swept(1, 3)
    assert await storage.exists("documents/file-first/content")


async def test_scratch_folders_of_dead_workers(
    leftovers: LeftoverFiles, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))
    for name, hours in {"offload-dead": 90, "offload-busy": 90, "somebody-elses": 90}.items():
        (tmp_path / name).mkdir()
        (tmp_path / name / "page.png").write_bytes(b"123")
        aged(tmp_path / name / "page.png", 0 if name == "offload-busy" else hours)
        aged(tmp_path / name, hours)
    assert await leftovers.scratch(48 * HOUR_S) == Swept(1, 3)
    assert {path.name for path in tmp_path.iterdir()} >= {"offload-busy", "somebody-elses"}
    assert not (tmp_path / "offload-dead").exists()


async def test_exports_whose_time_is_over(parts: Parts, leftovers: LeftoverFiles, storage: Storage) -> None:
    ids = []
    for _ in range(2):
        ids.append((await parts.enqueuer.enqueue(csv_export, Export(dataset="jobs"), owner="acme")).job_id)
        (job,) = await parts.claim(queue="csv-export")
        await parts.end(job)
        artefact = '[{"name": "export.csv", "bytes": 3, "media_type": "text/csv"}]'
        await parts.store.redis.hset(keys.job(job.id), "artefacts", artefact)
        await storage.put(artefact_path(job.id, "export.csv"), b"a,b")
    await parts.store.redis.hset(keys.job(ids[0]), "finished_ms", 1)
    assert await leftovers.exports(7 * 24 * HOUR_S) == Swept(1, 3)
    assert await leftovers.exports(7 * 24 * HOUR_S) == Swept()
    assert await storage.exists(artefact_path(ids[1], "export.csv"))
    assert (await parts.store.present(ids[0])).state is State.COMPLETED


async def test_files_that_no_record_names(parts: Parts, leftovers: LeftoverFiles, storage: Storage) -> None:
    (known,) = await parts.echo()
    paths = {
        f"jobs/{known}/kept/page": True,
        "jobs/pdf-ocr-gone/kept/page": False,
        "documents/file-known/content": True,
        "documents/file-gone/content": False,
        "thumbnails/00/0000/r1-150.webp": True,
    }
    for path in paths:
        await storage.put(path, b"123")
        aged(storage.local_path(path), 48)
    await storage.put("jobs/pdf-ocr-new/kept/page", b"123")
    assert await leftovers.unnamed(24 * HOUR_S) == Swept(2, 6)
    assert await leftovers.unnamed(24 * HOUR_S) == Swept()
    assert {path: await storage.exists(path) for path in paths} == paths
    assert await storage.exists("jobs/pdf-ocr-new/kept/page"), "its record may be on its way"


async def test_payloads_that_no_record_names(parts: Parts, leftovers: LeftoverFiles, storage: Storage) -> None:
    enqueuer = Enqueuer(parts.store, parts.settings.queues, payloads=PayloadFiles(storage))
    terms, large = Terms(replace=Replace(key="k")), "x" * INLINE_BYTES_MAX
    replaced = (await enqueuer.enqueue(probe.probe_echo, probe.Echo(word=large), owner="acme", terms=terms)).job_id
    old = set(await storage.list("jobs"))
    await enqueuer.enqueue(probe.probe_echo, probe.Echo(word=large + "2"), owner="acme", terms=terms)
    (kept,) = set(await storage.list("jobs")) - old
    # Of a request whose process died before its job was queued, of one that is being queued, and of a part.
    await storage.put("jobs/probe-echo-refused/payloads/a.json", b"{}")
    await storage.put(f"jobs/{replaced}/payloads/{replaced}.1-abc.json", b"{}")
    for path in await storage.list("jobs"):
        aged(storage.local_path(path), 48)
    await storage.put("jobs/probe-echo-new/payloads/b.json", b"{}")
    assert (await leftovers.unnamed(24 * HOUR_S)).files == 2
    left = {kept, f"jobs/{replaced}/payloads/{replaced}.1-abc.json", "jobs/probe-echo-new/payloads/b.json"}
    assert set(await storage.list("jobs")) == left
