"""Files that are put into a watched folder are taken in once and moved, whatever is killed in between."""

import asyncio
import os
import signal
import subprocess
import threading
from collections.abc import AsyncIterator, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
import structlog

from service.cli.client import Api, CliError, Unavailable, open_api
from service.cli.intake import take_in
from service.cli.watch import Watcher
from settings import load_settings
from tests.api.conftest import ACME, Served, app, hands, served
from tests.cli.test_ingest import counts
from tests.documents.samples import everything_below, pdf
from tests.supervisor.stack import OFFLOAD
from tests.waiting import wait_until_async

__all__ = ["app", "hands", "served"]


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    return tmp_path / "scans"


@pytest.fixture
async def api(served: Served) -> AsyncIterator[Api]:
    with open_api(load_settings(), served.url, ACME) as api:
        yield api


def watcher(api: Api, folder: Path, settle_s: float = 0.0) -> Watcher:
    made = Watcher(api, folder, settle_s, job="pdf-ocr", priority="normal")
    made.make_folders()
    return made


async def check_twice(one: Watcher) -> None:
    """Look twice: the first time a file is seen, the second time it has not changed since."""
    with structlog.testing.capture_logs():
        for _ in range(2):
            await asyncio.to_thread(one.check, threading.Event())


async def test_a_file_is_taken_or_refused_with_a_sentence(served: Served, api: Api, folder: Path) -> None:
    one = watcher(api, folder)
    (folder / "monday").mkdir()
    for name, content in {
        "a.pdf": pdf(1),
        "monday/a.pdf": pdf(2),
        "torn.pdf": pdf(3)[:300],
        "notes.txt": b"hello",
        "later.pdf.part": pdf(4),
    }.items():
        (folder / name).write_bytes(content)
    await check_twice(one)
    assert everything_below(folder) == [
        "failed/notes.txt",
        "failed/notes.txt.txt",
        "failed/torn.pdf",
        "failed/torn.pdf.txt",
        "later.pdf.part",
        "processed/a.pdf",
        "processed/monday/a.pdf",
    ]
    assert "is damaged or cut short" in (folder / "failed/torn.pdf.txt").read_text()
    assert (folder / "failed/notes.txt.txt").read_text() == "It is not a PDF, image or video.\n"
    assert await counts(served) == (2, 2)


async def test_the_same_bytes_come_again_and_nothing_is_overwritten(served: Served, api: Api, folder: Path) -> None:
    one, whole = watcher(api, folder), pdf(1)
    for _ in range(2):
        for name, content in (("a.pdf", whole), ("torn.pdf", pdf(3)[:300])):
            (folder / name).write_bytes(content)
        await check_twice(one)
    assert everything_below(folder / "processed") == ["a-2.pdf", "a.pdf"]
    assert everything_below(folder / "failed") == ["torn-2.pdf", "torn-2.pdf.txt", "torn.pdf", "torn.pdf.txt"]
    assert await counts(served) == (1, 1)


async def test_a_file_that_is_still_written_is_left_alone(served: Served, api: Api, folder: Path) -> None:
    one = watcher(api, folder)
    whole = pdf(2)
    stopped = threading.Event()
    for end in range(100, len(whole), 100):
        (folder / "a.pdf").write_bytes(whole[:end])
        await asyncio.to_thread(one.check, stopped)
    assert everything_below(folder) == ["a.pdf"] and await counts(served) == (0, 0)
    (folder / "a.pdf").write_bytes(whole)
    await check_twice(one)
    assert everything_below(folder) == ["processed/a.pdf"]


async def test_what_was_sent_and_not_moved_is_no_second_document(served: Served, api: Api, folder: Path) -> None:
    """As after a kill -9 between the upload and the job, and between the job and the move."""
    one = watcher(api, folder)
    (folder / "a.pdf").write_bytes(pdf(1))
    (folder / "b.pdf").write_bytes(pdf(2))
    await asyncio.to_thread(api.upload, folder / "a.pdf")
    await asyncio.to_thread(take_in, api, folder / "b.pdf", job="pdf-ocr", priority="normal", again=False)
    assert await counts(served) == (2, 1)
    await check_twice(one)
    assert everything_below(folder) == ["processed/a.pdf", "processed/b.pdf"]
    assert await counts(served) == (2, 2)


async def test_a_server_that_is_away_is_waited_for(
    served: Served, api: Api, folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("service.cli.watch.WAITS_S", (0.0,))
    tries, really = [], api.documents_of

    def away_at_first(sha256: str) -> list[dict[str, Any]]:
        tries.append(sha256)
        if len(tries) < 3:
            raise Unavailable("away")
        return really(sha256)

    monkeypatch.setattr(api, "documents_of", away_at_first)
    one = watcher(api, folder)
    (folder / "a.pdf").write_bytes(pdf(1))
    await check_twice(one)
    assert len(tries) == 3 and everything_below(folder) == ["processed/a.pdf"]


@contextmanager
def watching(served: Served, folder: Path) -> Iterator[subprocess.Popen[bytes]]:
    command = [*OFFLOAD, "watch", str(folder), "--settle", "0.1", "--server", served.url, "--key", ACME]
    with subprocess.Popen(command, env=dict(os.environ), stdout=subprocess.DEVNULL) as process:
        try:
            yield process
        finally:
            process.kill()


async def test_a_process_that_is_killed_and_one_after_it(served: Served, folder: Path) -> None:
    """Files come in while the process is killed again and again: each is one document and one job at the end."""
    folder.mkdir()
    number = 12
    for round in range(3):
        for name in range(round * 4, round * 4 + 4):
            (folder / f".{name}").write_bytes(pdf(1) + f"%{name}".encode())
            (folder / f".{name}").rename(folder / f"{name}.pdf")
        with watching(served, folder) as process:

            async def some_moved(wanted: int = round * 4 + 1) -> bool:
                return len(everything_below(folder / "processed")) >= wanted

            await wait_until_async(some_moved)
            process.send_signal(signal.SIGKILL)
    with watching(served, folder) as process:

        async def all_moved() -> bool:
            return len(everything_below(folder / "processed")) == number

        await wait_until_async(all_moved)
        process.send_signal(signal.SIGTERM)
        assert await asyncio.to_thread(process.wait, 20) == 0
    assert await counts(served) == (number, number) and everything_below(folder / "failed") == []


async def test_the_data_folder_is_not_watched(served: Served, settings_env: dict[str, str]) -> None:
    from click.testing import CliRunner

    from service.cli.main import main

    parent = str(Path(settings_env["OFFLOAD_DATA_DIR"]).parent)
    refused = CliRunner().invoke(main, ["watch", parent, "--once"])
    assert refused.exit_code == 1 and "holds the data folder of Offload" in refused.output
    missing = CliRunner().invoke(main, ["watch", "--once"])
    assert "Name a folder, or set OFFLOAD_WATCH_DIR." in missing.output
    assert issubclass(Unavailable, CliError)
