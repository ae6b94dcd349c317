"""A scanned document under kill -9 of its worker and of the queue server: every page is read once, and none is lost."""

import os
import signal
import subprocess
import sys
from collections.abc import AsyncIterator
from pathlib import Path

import msgspec
import pytest

from service.documents.store import DocumentStore
from service.engine.job_files import artefact_path, folder
from service.engine.redis.retry import until_back
from service.engine.states import State
from service.services import Services, open_services
from service.supervisor.valkey import EmbeddedValkey
from settings import load_settings
from tasks.pdf_ocr import PdfOcr, pdf_ocr
from tests.engine.conftest import ROOT
from tests.ocr.documents import scan_pdf
from tests.waiting import wait_until_async

pytestmark = [pytest.mark.chaos, pytest.mark.slow]

PAGES = 14


@pytest.fixture
def own_server(tmp_path: Path, settings_env: dict[str, str], request: pytest.FixtureRequest, monkeypatch):
    """A server of this test's own, that it may kill; the converted networks are those of the other OCR tests."""
    data = Path(settings_env["OFFLOAD_DATA_DIR"])
    models = request.config.cache.mkdir("ocr-data") / "models"
    models.mkdir(exist_ok=True)
    (data / "models").symlink_to(models)
    with EmbeddedValkey(tmp_path / "own-valkey") as server:
        settings_env["OFFLOAD_REDIS_URL"] = server.url
        monkeypatch.setenv("OFFLOAD_REDIS_URL", server.url)
        monkeypatch.setenv("OFFLOAD_LEASE_S", "4")
        load_settings.cache_clear()
        yield server


@pytest.fixture
async def services(own_server: EmbeddedValkey) -> AsyncIterator[Services]:
    async with open_services(load_settings()) as services:
        yield services


async def uploaded(files: DocumentStore, data: bytes) -> str:
    async def chunks() -> AsyncIterator[bytes]:
        yield data

    return (await files.upload(chunks(), owner="acme", name="scan.pdf")).file_id


async def stored(services: Services, job_id: str) -> dict[str, int]:
    """Each page that has been read, with the moment at which it was written."""
    found = {}
    for path in await services.storage.list(f"{folder(job_id)}/kept/"):
        local = services.storage.local_path(path)
        if "page" in path and local is not None and not path.endswith("total_pages"):
            found[path] = local.stat().st_mtime_ns
    return found


async def test_every_page_is_read_once(own_server: EmbeddedValkey, services: Services, tmp_path: Path) -> None:
    data, truths = scan_pdf(PAGES, words=25)
    file_id = await uploaded(services.files, data)
    accepted = await services.enqueuer.enqueue(pdf_ocr, PdfOcr(file_id=file_id), owner="acme", units=PAGES)
    log = (tmp_path / "worker.log").open("ab")

    def worker() -> "subprocess.Popen[bytes]":
        command = [sys.executable, "-m", "arq", "tasks.workers.PdfProcessing"]
        return subprocess.Popen(command, cwd=ROOT, env=dict(os.environ), stdout=log, stderr=log)

    first = worker()
    second = None
    try:
        await wait_until_async(lambda: some_pages(services, accepted.job_id, 2), limit_s=240)
        os.kill(first.pid, signal.SIGKILL)
        first.wait()
        before = await stored(services, accepted.job_id)
        second = worker()
        await wait_until_async(lambda: some_pages(services, accepted.job_id, len(before) + 2), limit_s=240)
        own_server.kill()
        own_server.restart()

        async def done() -> bool:
            job = await until_back(services.store.present)(accepted.job_id)
            return job.state.terminal

        await wait_until_async(done, limit_s=240)
        after = await stored(services, accepted.job_id)
        job = await until_back(services.store.present)(accepted.job_id)
        assert job.state is State.COMPLETED, job.error
        assert {path: after[path] for path in before} == before, "no page that was read is read again"
        pages = msgspec.json.decode(await services.storage.get(artefact_path(job.id, "pages.json")))["pages"]
        assert [page["page"] for page in pages] == list(range(1, PAGES + 1))
        text = (await services.storage.get(artefact_path(job.id, "text.txt"))).decode()
        words = [word for truth in truths for word in truth.split()]
        assert sum(word in text for word in words) / len(words) > 0.8
    finally:
        for process in (first, second):
            if process is not None and process.poll() is None:
                process.terminate()
                process.wait(30)
        log.close()


async def some_pages(services: Services, job_id: str, count: int) -> bool:
    return len(await stored(services, job_id)) >= count
