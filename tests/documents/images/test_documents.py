"""A document that kills or holds up whoever draws it costs itself only, and a retry does not draw it again."""

import os
import time
from collections.abc import AsyncIterator, Sequence
from pathlib import Path
from typing import Any

import pytest
import pytest_asyncio

from service.documents.thumbnails.store import ThumbnailStore
from service.engine.pool.cpu_pool import CpuPool
from service.lib.object_storage import Storage
from tasks.images import documents
from tasks.images.documents import DocumentDone, make_thumbnails
from tasks.images.thumbnails import Thumbnail, render_thumbnails
from tasks.images.variants import Variant, variants
from tasks.ports.thumbnails import Thumbnails
from tests.documents.images.pictures import saved, scene
from tests.ocr.local_run import LocalRun

WANTED = variants([150], ["webp"])


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def pool() -> AsyncIterator[CpuPool]:
    pool = CpuPool(2, name="documents")
    yield pool
    await pool.close()


class Described:
    """Files by id, the id being their hash as well."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.file_id = self.sha256 = ""

    async def describe(self, file_id: str) -> Any:
        found = Described(self.folder)
        found.file_id = found.sha256 = file_id
        return found

    async def local(self, file_id: str, folder: Path) -> Path:
        return self.folder / file_id


class PictureRun(LocalRun):
    """A run that offers thumbnails in a folder."""

    def use(self, port: type) -> Any:
        if port is not Thumbnails:
            return super().use(port)
        return ThumbnailStore(Storage((self.folder / "storage").as_uri()))


def drawn(path: Path, wanted: Sequence[Variant]) -> list[Thumbnail]:
    """In a child: draws, unless the document says what else it does."""
    with path.with_name("drawn").open("a") as ledger:
        ledger.write(f"{path.name}\n")
    match path.read_bytes():
        case b"dies":
            os.kill(os.getpid(), 9)
        case b"dies once" if path.with_name("drawn").read_text().count(path.name) == 1:
            os.kill(os.getpid(), 9)
        case b"hangs":
            time.sleep(3600)
    return render_thumbnails(path.with_name("good") if path.name == "dies-once" else path, wanted)


@pytest.fixture
def run(tmp_path: Path, pool: CpuPool, monkeypatch: pytest.MonkeyPatch) -> PictureRun:
    monkeypatch.setattr(documents, "render_thumbnails", drawn)
    monkeypatch.setattr(documents, "RENDER_TIMEOUT_S", 1.0)
    run = PictureRun(tmp_path, pool)
    files = run.folder / "files"
    run.files = Described(files)  # type: ignore[assignment]  # the same words, described
    for name, data in {"dies": b"dies", "dies-once": b"dies once", "hangs": b"hangs"}.items():
        (files / name).write_bytes(data)
    (files / "good").write_bytes(saved(scene(300, 200), "JPEG"))
    return run


async def test_one_fails_alone_and_is_not_tried_again_by_a_retry(run: PictureRun) -> None:
    names = ["dies", "good", "hangs", "dies-once", "good"]
    progress: list[int] = []

    async def done(count: int) -> None:
        progress.append(count)

    outcomes = await make_thumbnails(run, names, WANTED, 4, done)
    assert outcomes == [
        DocumentDone("dies", "failed", "It cannot be drawn: it crashes the reader."),
        DocumentDone("good", "made"),
        DocumentDone("hangs", "failed", "It cannot be drawn within 1 seconds."),
        DocumentDone("dies-once", "made"),
        DocumentDone("good", "found"),
    ]
    assert progress == [1, 2, 3, 4, 5]
    drawings = sorted((run.folder / "files" / "drawn").read_text().split())
    assert drawings == ["dies", "dies", "dies-once", "dies-once", "good", "hangs"]
    again = await make_thumbnails(run, names, WANTED, 4, done)
    assert [(one.status, one.reason) for one in again[:3]] == [
        (one.status if one.status == "failed" else "found", one.reason) for one in outcomes[:3]
    ]
    assert sorted((run.folder / "files" / "drawn").read_text().split()) == drawings
    assert await run.use(Thumbnails).reason_for_none("hangs") == "It cannot be drawn within 1 seconds."
