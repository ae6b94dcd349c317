"""A folder is taken in: each of its documents once, however often it is tried."""

import asyncio
import os
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest
import structlog
from click.testing import CliRunner, Result

from service.cli.client import Denied, Unavailable
from service.cli.ingest import patiently
from service.cli.intake import files_below
from service.cli.main import main
from tests.api.conftest import ACME, Served, app, hands, served
from tests.api.hands import Hands
from tests.documents.samples import pdf, picture

__all__ = ["app", "hands", "served"]


@pytest.fixture(autouse=True)
def quiet() -> Iterator[None]:
    """The API runs in this process, and what it logs would be taken for the command's output."""
    with structlog.testing.capture_logs():
        yield


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    folder = tmp_path / "archive"
    (folder / "2026" / ".hidden").mkdir(parents=True)
    one_page = pdf(1)
    for name, content in {
        "a.pdf": one_page,
        "2026/b.pdf": pdf(2),
        "2026/same as a.pdf": one_page,
        "2026/photo.png": picture("PNG"),
        "2026/notes.txt": b"no document",
        "2026/torn.pdf": pdf(4)[:400],
        "2026/.hidden/c.pdf": pdf(3),
        "d.pdf.part": pdf(3),
    }.items():
        (folder / name).write_bytes(content)
    (folder / "link.pdf").symlink_to(folder / "a.pdf")
    return folder


async def ingest(served: Served, folder: Path, *more: str) -> Result:
    arguments = ["ingest", str(folder), "--parallel", "1", *more, "--server", served.url, "--key", ACME]
    return await asyncio.to_thread(CliRunner().invoke, main, arguments)


def rows(result: Result) -> dict[str, list[str]]:
    return {line.split("\t")[1]: line.split("\t") for line in result.stdout.splitlines()}


async def counts(served: Served) -> tuple[int, int]:
    """Documents and jobs of acme."""
    from service.documents.listing import DocumentFilter, list_documents

    found = await list_documents(served.services.database, DocumentFilter(owner="acme"), limit=100)
    return len(found.documents), len((await served.services.store.list(owner="acme")).jobs)


async def test_each_document_is_stored_once_and_read_once(served: Served, hands: Hands, folder: Path) -> None:
    dry = await ingest(served, folder, "--dry-run")
    assert dry.exit_code == 0 and rows(dry)["a.pdf"][0] == "would be sent" and await counts(served) == (0, 0)
    first = await ingest(served, folder)
    found = rows(first)
    assert first.exit_code == 1, "one was refused"
    assert {name: row[0] for name, row in found.items()} == {
        "a.pdf": "queued",
        "link.pdf": "skipped",
        "2026/b.pdf": "queued",
        "2026/notes.txt": "skipped",
        "2026/photo.png": "queued",
        "2026/same as a.pdf": "queued",
        "2026/torn.pdf": "refused",
    }
    assert found["2026/same as a.pdf"][2] == found["a.pdf"][2], "the same bytes are the same job"
    assert "is damaged or cut short" in found["2026/torn.pdf"][2] and "links are not followed" in found["link.pdf"][2]
    assert "7 files: 4 queued, 1 refused, 2 skipped." in first.stderr
    assert await counts(served) == (3, 3)
    job = await hands.take()
    await hands.complete(job)
    again = rows(await ingest(served, folder))
    assert await counts(served) == (3, 3)
    (read,) = [row for row in again.values() if row[2] == job.id and row[0] == "read already"][:1]
    assert read
    repeated = rows(await ingest(served, folder, "--again", "--pattern", "*.png"))
    assert list(repeated) == ["2026/photo.png"] and await counts(served) == (3, 4)


async def test_only_stored(served: Served, folder: Path) -> None:
    found = rows(await ingest(served, folder, "--job", "none", "--pattern", "?.pdf"))
    assert {row[0] for row in found.values()} == {"stored"} and await counts(served) == (2, 0)


async def test_a_job_type_that_there_is_not_is_no_fault_of_the_files(served: Served, folder: Path) -> None:
    refused = await ingest(served, folder, "--job", "knit", "--pattern", "a.pdf")
    assert refused.exit_code == 1 and refused.stdout == ""
    assert "Error: There is no job type knit: there are" in refused.stderr and "Run it again" not in refused.stderr


def test_hidden_and_unfinished_files_and_folders_left_out(tmp_path: Path) -> None:
    for name in ("a.pdf", ".b.pdf", "c.PDF.PART", "~$d.docx", "out/e.pdf", "sub/f.pdf"):
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).touch()
    os.symlink(tmp_path / "sub", tmp_path / "linked")
    found = files_below(tmp_path, frozenset({tmp_path / "out"}))
    assert [str(path.relative_to(tmp_path)) for path in found] == ["a.pdf", "sub/f.pdf"]


def test_an_absence_is_waited_out_and_a_refusal_is_not() -> None:
    tries: list[int] = []

    def away(error: Exception, ends_after: int) -> str:
        tries.append(1)
        if len(tries) <= ends_after:
            raise error
        return "there"

    stopped = threading.Event()
    assert patiently(lambda: away(Unavailable("away"), 2), stopped, (0, 0)) == "there" and len(tries) == 3
    tries.clear()
    with pytest.raises(Unavailable):
        patiently(lambda: away(Unavailable("away"), 9), stopped, (0, 0))
    assert len(tries) == 3
    tries.clear()
    with pytest.raises(Denied):
        patiently(lambda: away(Denied("no"), 9), stopped, (0, 0))
    assert len(tries) == 1
