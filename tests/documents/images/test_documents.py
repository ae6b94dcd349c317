"""A document that kills or holds up the process that draws it costs itself only, and a retry does not draw it again."""

import os
import time
from collections.abc import AsyncIterator, Sequence
from pathlib import Path

import pytest
import pytest_asyncio
from PIL import Image

from service.documents.thumbnails.store import ThumbnailStore
from service.engine.pool.cpu_pool import CpuPool
from service.lib.storage.object_storage import Storage
from tasks.images import documents, thumbnails
from tasks.images.documents import DocumentDone, make_thumbnails
from tasks.images.thumbnails import Thumbnail, render_thumbnails
from tasks.images.variants import Variant, variants
from tasks.ports.thumbnails import Thumbnails
from tasks.sdk.testing import LocalRun
from tests.documents.images.depths import DEPTHS
from tests.documents.images.pictures import saved, scene
from tests.ocr.documents import text_pdf, without_page_object

pytestmark = pytest.mark.asyncio(loop_scope="module")

WANTED = variants([150], ["webp"])


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def pool() -> AsyncIterator[CpuPool]:
    pool = CpuPool(2, name="documents")
    yield pool
    await pool.close()


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


def drawn_by_strange_library(path: Path, wanted: Sequence[Variant]) -> list[Thumbnail]:
    """In a child: draws with a library that stumbles over one file."""
    opened = thumbnails.picture

    def stumble(path: Path, box: tuple[int, int], frame: int = 0) -> Image.Image:
        if path.read_bytes() == b"strange":
            raise KeyError("a tag that no one expects")
        return opened(path, box, frame)

    with pytest.MonkeyPatch.context() as patched:
        patched.setattr(thumbnails, "picture", stumble)
        return render_thumbnails(path, wanted)


@pytest.fixture
def run(tmp_path: Path, pool: CpuPool, monkeypatch: pytest.MonkeyPatch) -> LocalRun:
    monkeypatch.setattr(thumbnails, "render_thumbnails", drawn)
    monkeypatch.setattr(documents, "RENDER_TIMEOUT_S", 1.0)
    run = LocalRun(tmp_path, pool, ports={Thumbnails: ThumbnailStore(Storage((tmp_path / "storage").as_uri()))})
    for name, data in {"dies": b"dies", "dies-once": b"dies once", "hangs": b"hangs"}.items():
        run.files.add(name, data)
    run.files.add("good", saved(scene(300, 200), "JPEG"))
    return run


async def test_whatever_is_wrong_with_one_document_costs_that_one_alone(
    run: LocalRun, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(thumbnails, "render_thumbnails", drawn_by_strange_library)
    monkeypatch.setattr(documents, "RENDER_TIMEOUT_S", 10.0)
    run.files.add("deep", DEPTHS["16 bits, big-endian"](scene(300, 200).convert("L")))
    run.files.add("strange", b"strange")
    run.files.add("lost", without_page_object(text_pdf(pages=2, words=5)[0], 1))

    async def done(count: int) -> None: ...

    outcomes = await make_thumbnails(run, ["strange", "deep", "lost", "good"], WANTED, 4, done)
    assert [(one.document_id, one.status, one.reason) for one in outcomes] == [
        ("strange", "failed", "It cannot be drawn: KeyError: 'a tag that no one expects'"),
        ("deep", "made", None),
        ("lost", "failed", "The page is missing or damaged."),
        ("good", "made", None),
    ]


async def test_one_fails_alone_and_is_not_tried_again_by_a_retry(run: LocalRun) -> None:
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
    assert (
        await run.use(Thumbnails).reason_for_none((await run.files.describe("hangs")).sha256)
        == "It cannot be drawn within 1 seconds."
    )
