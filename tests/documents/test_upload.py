"""What is taken in, what is refused and with which sentence, and what is left behind."""

import asyncio
import hashlib
import os
import signal
from collections.abc import AsyncIterator, Callable
from pathlib import Path
from typing import Any

import pytest

from service.database import Database
from service.documents import upload
from service.documents.inspection import inspect_file
from service.documents.media_types import READ_HERE
from service.documents.store import DocumentStore, NoSuchFile
from service.engine.pool.cpu_pool import CpuPool
from service.lib.storage.object_storage import Storage
from settings import Settings
from tasks.sdk.errors import Refused
from tests.documents.samples import everything_below, in_chunks, many_pages, pdf, picture
from tests.documents.videos.clips import clip
from tests.full_disk import no_room


@pytest.mark.parametrize(
    ("content", "media_type", "pages"),
    [
        (pdf(3), "application/pdf", 3),
        (b"junk before it\n" + pdf(2), "application/pdf", 2),
        (pdf(1) + b"\0" * 5000, "application/pdf", 1),
        (pdf(1, password="secret"), "application/pdf", None),
        (picture("PNG"), "image/png", 1),
        (picture("JPEG"), "image/jpeg", 1),
        (picture("WEBP"), "image/webp", 1),
        (picture("GIF", frames=3), "image/gif", 1),
        (picture("TIFF", frames=4), "image/tiff", 4),
    ],
)
async def test_a_document_is_told_by_its_content(
    files: DocumentStore, content: bytes, media_type: str, pages: int | None, tmp_path: Path
) -> None:
    document = await files.upload(in_chunks(content), owner="acme", name="whatever.txt")
    again = await files.describe(document.file_id, owner="acme")
    assert (again.media_type, again.pages, again.bytes) == (media_type, pages, len(content))
    assert again.sha256 == hashlib.sha256(content).hexdigest()
    assert b"".join([chunk async for chunk in await files.content(again)]) == content
    assert (await files.local(again.file_id, tmp_path)).read_bytes() == content
    assert everything_below(tmp_path / "uploads") == []


@pytest.mark.parametrize(
    ("content", "status_code", "sentence"),
    [
        (b"", 400, "scan.pdf is empty."),
        (b"just text", 415, f"scan.pdf is a text file, which is not read here; send {READ_HERE}."),
        (b"\xfe" * 2_000_000, 415, f"scan.pdf is not a PDF, image or video; send {READ_HERE}."),
        (b"<html>" + b" " * 1100 + pdf(1), 415, f"scan.pdf is a web page, which is not read here; send {READ_HERE}."),
        (pdf(1) + b"\0" * 3_000_000, 413, "scan.pdf is too large: the limit is 3,000,000 bytes."),
        (b"%PDF-1.7\n", 400, "scan.pdf is damaged or cut short: it begins like a PDF but cannot be opened as one."),
        (pdf(5)[:680], 400, "scan.pdf is damaged or cut short: it begins like a PDF but cannot be opened as one."),
        (many_pages(0), 400, "scan.pdf has no pages."),
        (many_pages(51), 413, "scan.pdf has 51 pages: the limit is 50."),
        (picture("TIFF", frames=51), 413, "scan.pdf has 51 pages: the limit is 50."),
        (
            picture("PNG")[:50],
            400,
            "scan.pdf is damaged or cut short: it begins like a PNG image but cannot be opened as one.",
        ),
        (clip("uneven"), 413, "scan.pdf is 2 seconds long: the limit is 1."),
        (b"GIF89a", 400, "scan.pdf is damaged or cut short: it begins like a GIF image but cannot be opened as one."),
    ],
)
async def test_what_is_refused_leaves_nothing_behind(
    files: DocumentStore, storage: Storage, tmp_path: Path, content: bytes, status_code: int, sentence: str
) -> None:
    with pytest.raises(Refused) as refused:
        await files.upload(in_chunks(content), owner="acme", name="scan.pdf")
    assert (refused.value.status_code, str(refused.value), refused.value.field) == (status_code, sentence, "file")
    assert await storage.list() == [] == everything_below(tmp_path / "uploads")


def test_a_damaged_file_is_not_taken_for_a_locked_one_that_came_before_it(tmp_path: Path) -> None:
    """Both in one child: PDFium may still report the first one's error."""
    locked, damaged = tmp_path / "locked.pdf", tmp_path / "damaged.pdf"
    locked.write_bytes(pdf(1, password="secret"))
    found = []
    for content in (b"%PDF-1.7\n", pdf(3)[:200], b"junk before it\n" + pdf(1, password="secret")[:-300]):
        damaged.write_bytes(content)
        found += [inspect_file(path, "application/pdf").fault is None for path in (locked, damaged)]
    assert found == [True, False] * 3


async def test_an_oversized_upload_is_refused_before_it_has_arrived(files: DocumentStore, settings: Settings) -> None:
    sent = 0

    async def endless() -> AsyncIterator[bytes]:
        nonlocal sent
        yield b"%PDF-1.7\n"
        while True:
            sent += 100_000
            yield b"x" * 100_000

    with pytest.raises(Refused, match="too large"):
        await files.upload(endless(), owner="acme", name="big.pdf")
    assert sent <= settings.max_upload_bytes + 100_000


async def test_a_sender_that_goes_away_leaves_nothing(files: DocumentStore, storage: Storage, tmp_path: Path) -> None:
    stalled = asyncio.Event()

    async def stalling() -> AsyncIterator[bytes]:
        yield b"%PDF-1.7\n" + b"x" * 1_500_000
        stalled.set()
        await asyncio.Event().wait()

    sending = asyncio.create_task(files.upload(stalling(), owner="acme", name="scan.pdf"))
    await stalled.wait()
    assert len(everything_below(tmp_path / "uploads")) == 1
    sending.cancel()
    with pytest.raises(asyncio.CancelledError):
        await sending
    assert await storage.list() == [] == everything_below(tmp_path / "uploads")


def _die(*_: Any) -> None:
    os.kill(os.getpid(), signal.SIGKILL)


def _hang(*_: Any) -> None:
    signal.pause()


def _devour(*_: Any) -> None:
    hoard = []
    while True:
        hoard.append(bytearray(50_000_000))


@pytest.mark.parametrize(
    ("reader", "sentence"), [(_die, "crashes the reader"), (_hang, "within 0.3 seconds"), (_devour, "too much memory")]
)
async def test_a_file_that_harms_its_reader_is_refused_and_the_next_one_is_read(
    files: DocumentStore, monkeypatch: pytest.MonkeyPatch, reader: Callable[..., None], sentence: str
) -> None:
    with monkeypatch.context() as patched:
        patched.setattr(upload, "inspect_file", reader)
        patched.setattr(upload, "INSPECTION_TIMEOUT_S", 0.3 if reader is _hang else 60)
        with pytest.raises(Refused, match=sentence):
            await files.upload(in_chunks(pdf()), owner="acme", name="hostile.pdf")
    assert (await files.upload(in_chunks(pdf()), owner="acme", name="honest.pdf")).pages == 1


@pytest.mark.both_databases
async def test_nothing_is_stored_when_the_row_cannot_be_written(
    database: Database, storage: Storage, settings: Settings, pool: CpuPool, tmp_path: Path
) -> None:
    files = DocumentStore(database, storage, settings, pool)
    async with database.writing() as session:
        await session.run_sync(lambda s: s.connection().exec_driver_sql("ALTER TABLE documents RENAME TO gone"))
    with pytest.raises(Exception, match=r"no such table|\"documents\" does not exist"):
        await files.upload(in_chunks(pdf()), owner="acme", name="a.pdf")
    assert await storage.list() == [] == everything_below(tmp_path / "uploads")


@pytest.mark.both_databases
async def test_a_deleted_file_is_gone_with_everything_beside_it(
    files: DocumentStore, storage: Storage, tmp_path: Path
) -> None:
    document = await files.upload(in_chunks(pdf()), owner="acme", name="a.pdf")
    await storage.put(document.path.replace("content", "thumbnails/150.png"), b"x")
    with pytest.raises(NoSuchFile):
        await files.delete(document.file_id, owner="globex")
    await files.delete(document.file_id, owner="acme")
    assert await storage.list() == []
    for call in (files.describe(document.file_id), files.content(document), files.local(document.file_id, tmp_path)):
        with pytest.raises(NoSuchFile, match=document.file_id):
            await call


@pytest.mark.parametrize("file_id", ["", "no-such", "file-" + "0" * 32, "../x", "file-\0", "x" * 10_000])
async def test_an_id_that_is_none_is_simply_unknown(files: DocumentStore, file_id: str) -> None:
    with pytest.raises(NoSuchFile, match="There is no file"):
        await files.describe(file_id)


def test_a_scratch_file_goes_when_it_cannot_be_written(tmp_path: Path) -> None:
    scratch = upload.ScratchFile(tmp_path / "a.part")
    scratch.append(b"less than a buffer")
    with no_room(), pytest.raises(OSError):
        try:
            scratch.close()
        finally:
            scratch.remove()
    assert list(tmp_path.iterdir()) == []
