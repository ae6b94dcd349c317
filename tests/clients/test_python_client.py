"""The Python client against the real API."""

import asyncio
import hashlib
import json
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import httpx
import pytest

from offload_client import (
    ApiError,
    AsyncClient,
    BadRequest,
    Client,
    Conflict,
    JobFailed,
    NotAllowed,
    NotFound,
    Status,
    Unreachable,
    WaitTimeout,
)
from offload_client import _calls as calls
from offload_client import _pieces as pieces
from service.engine.store import Job
from tests.api.conftest import ACME, GLOBEX, Served
from tests.api.hands import Hands
from tests.ocr.documents import text_pdf
from tests.ports import free_port
from tests.waiting import wait_until_async

EXPORT = {"dataset": "users", "format": "csv"}


@pytest.fixture
async def offload(served: Served) -> AsyncIterator[AsyncClient]:
    async with AsyncClient(served.url, ACME) as client:
        yield client


@pytest.fixture(autouse=True)
def short_pauses(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(calls, "PAUSE_MAX_S", 0.1)


async def scan(offload: AsyncClient, folder: Path) -> str:
    path = folder / "räum.pdf"
    path.write_bytes(text_pdf(pages=2)[0])
    file = await offload.upload(path)
    assert (file.name, file.pages, file.media_type) == ("räum.pdf", 2, "application/pdf")
    assert (await offload.file(file.file_id)) == file
    return file.file_id


async def test_a_document_from_upload_to_text(offload: AsyncClient, hands: Hands, tmp_path: Path) -> None:
    job = await offload.submit("pdf-ocr", {"file_id": await scan(offload, tmp_path)}, priority="high")
    assert job.accepted is not None and job.accepted.estimated_seconds > 0
    seen: list[Status] = []

    async def follow() -> None:
        seen.extend([status async for status in job.updates(60)])

    following = asyncio.create_task(follow())
    leased = await hands.take()
    await hands.progress(leased, 50, "Processing page 1 of 2 (50%)", pages_processed=1)
    await hands.complete(leased, text_txt=b"read")
    await following
    assert seen[-1].terminal and [s.progress for s in seen] == sorted(s.progress for s in seen)
    assert (await job.wait()).status == "completed"
    assert await job.read("text.txt") == b"read"
    assert (await job.download("text.txt", tmp_path / "out.txt")).read_bytes() == b"read"
    assert [entry.name for entry in tmp_path.iterdir() if "partial" in entry.name] == []
    detail = await job.detail()
    assert (detail.type, detail.priority, detail.attempts[0].outcome) == ("pdf-ocr", "high", "completed")
    assert [one.id async for one in offload.jobs(type="pdf-ocr", limit=5)] == [job.id]


async def test_errors_carry_the_servers_words(offload: AsyncClient, served: Served, tmp_path: Path) -> None:
    with pytest.raises(BadRequest) as refused:
        await offload.submit("csv-export", {"dataset": "users", "format": "xml"})
    assert refused.value.errors == [{"field": "format", "message": "format must be csv or xlsx."}]
    with pytest.raises(NotFound):
        await offload.job("csv-export-nope").status()
    await offload.submit("csv-export", EXPORT, idempotency_key="one")
    with pytest.raises(Conflict):
        await offload.submit("csv-export", EXPORT | {"format": "xlsx"}, idempotency_key="one")
    job = await offload.submit("csv-export", EXPORT)
    async with AsyncClient(served.url, GLOBEX) as other:
        with pytest.raises(NotFound):
            await other.job(job.id).status()
    async with AsyncClient(served.url, "no-such-key") as stranger:
        with pytest.raises(NotAllowed):
            await stranger.job(job.id).status()
    await job.cancel()
    with pytest.raises(JobFailed) as ended:
        await job.wait()
    assert ended.value.status.status == "cancelled"
    with pytest.raises(NotFound):
        await job.download("export.csv", tmp_path / "export.csv")
    assert not list(tmp_path.glob("*export*"))
    await job.delete()
    empty = tmp_path / "empty.pdf"
    empty.touch()
    with pytest.raises(BadRequest, match="empty"):
        await offload.upload(empty)


async def test_many_jobs_in_few_requests(offload: AsyncClient, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(calls, "BULK", 2)
    good = {"type": "csv-export", "payload": EXPORT}
    wrong = {"type": "csv-export", "payload": EXPORT | {"format": "xml"}}
    first, refused, last = await offload.submit_many([good, wrong, good])
    assert isinstance(refused, BadRequest) and refused.errors[0]["field"] == "format"
    assert not isinstance(first, Exception) and not isinstance(last, Exception)
    assert (await first.status()).status == (await last.status()).status == "queued"


async def test_a_wait_that_is_too_short_leaves_the_job_alone(offload: AsyncClient) -> None:
    job = await offload.submit("csv-export", EXPORT)
    with pytest.raises(WaitTimeout):
        await job.wait(1.0)
    assert (await job.status()).status == "queued"


class Lossy(httpx.AsyncBaseTransport):
    """A connection that loses the answer to the first request and refuses the second with 503."""

    def __init__(self) -> None:
        self.inner = httpx.AsyncHTTPTransport()
        self.requests: list[httpx.Request] = []

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        self.requests.append(request)
        if len(self.requests) == 2:
            return httpx.Response(503, headers={"Retry-After": "0"}, request=request)
        response = await self.inner.handle_async_request(request)
        if len(self.requests) == 1:
            await response.aread()
            raise httpx.ReadError("connection lost", request=request)
        return response


async def test_a_submission_whose_answer_is_lost_is_one_job(served: Served, acme: httpx.AsyncClient) -> None:
    lossy = Lossy()
    async with AsyncClient(served.url, ACME, transport=lossy) as client:
        job = await client.submit("csv-export", EXPORT)
    assert len(lossy.requests) == 3
    assert [one["id"] for one in (await acme.get("/api/jobs")).json()["jobs"]] == [job.id]


async def test_the_synchronous_client_does_the_same(served: Served, hands: Hands, tmp_path: Path) -> None:
    def whole_way() -> Any:
        with Client(served.url, ACME) as offload:
            path = tmp_path / "scan.pdf"
            path.write_bytes(text_pdf()[0])
            job = offload.submit("pdf-ocr", {"file_id": offload.upload(path).file_id})
            ticket = job.ticket(minutes=5)
            assert httpx.get(served.url + ticket.status_url, timeout=60).json()["id"] == job.id
            assert ticket.page_url.startswith(f"{served.url}/j/ticket_")
            return job.wait(60), job.read("text.txt"), [one.id for one in offload.jobs(status="completed")]

    working = asyncio.create_task(asyncio.to_thread(whole_way))
    jobs = await wait_until_async(lambda: queued_jobs(served))
    await hands.complete(await hands.take(), text_txt=b"read")
    status, text, listed = await working
    assert (status.status, text, listed) == ("completed", b"read", [jobs[0].id])


async def queued_jobs(served: Served) -> list[Job]:
    return (await served.services.store.list(state="queued")).jobs


async def test_a_server_that_is_not_there(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(calls, "RETRIES", 1)
    port = free_port()
    async with AsyncClient(f"http://127.0.0.1:{port}", ACME) as client:
        with pytest.raises(Unreachable, match=f"127.0.0.1:{port}"):
            await client.job("x").status()


def test_fields_of_a_newer_server_are_ignored() -> None:
    body = json.dumps({"id": "a-1", "status": "dreaming", "mood": {"good": True}})
    status = calls.decoded(httpx.Response(200, content=body), Status)
    assert (status.id, status.status, status.terminal) == ("a-1", "dreaming", False)


async def test_webhooks(offload: AsyncClient, served: Served) -> None:
    made = await offload.create_webhook("https://8.8.8.8/hook", ["job.failed"])
    (listed,) = await offload.webhooks()
    assert (listed.webhook_id, listed.events) == (made.webhook_id, ["job.failed"]) and made.secret.startswith("whsec_")
    await offload.test_webhook(made.webhook_id)
    with Client(served.url, ACME) as same:
        assert await asyncio.to_thread(same.callback_secret) == await offload.callback_secret()
        assert await asyncio.to_thread(same.webhooks) == [listed]
        await asyncio.to_thread(same.delete_webhook, made.webhook_id)
    assert await offload.webhooks() == []
    with pytest.raises(BadRequest, match="loopback"):
        await offload.create_webhook("http://127.0.0.1/", ["job.failed"])


class Breaking(httpx.BaseTransport):
    """Goes wrong on the way, once each: an answer that is lost, and a piece that arrives altered."""

    def __init__(self) -> None:
        self.real = httpx.HTTPTransport()
        self.patches: list[int] = []

    def handle_request(self, request: httpx.Request) -> httpx.Response:
        if request.method == "PATCH":
            self.patches.append(int(request.headers["upload-offset"]))
            if len(self.patches) == 2:
                self.real.handle_request(request).read()
                raise httpx.ReadError("the answer is lost", request=request)
            if len(self.patches) == 3:
                content = b"?" + request.read()[1:]
                request = httpx.Request("PATCH", request.url, headers=request.headers, content=content)
        return self.real.handle_request(request)


async def test_a_large_file_goes_in_pieces_and_goes_on_where_it_broke(
    served: Served, offload: AsyncClient, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(pieces, "LARGE_BYTES", 1000)
    monkeypatch.setattr(pieces, "PIECE_BYTES", 4000)
    path = tmp_path / "large.pdf"
    path.write_bytes(text_pdf(pages=1)[0] + b"%" + b"x" * 15_000)
    transport = Breaking()
    with Client(served.url, ACME, transport=transport) as client:
        file = await asyncio.to_thread(client.upload, path)
        assert transport.patches[:5] == [0, 4000, 8000, 8000, 12_000], "one was sent twice, and none from the beginning"
        digest = hashlib.sha256(path.read_bytes()).hexdigest()
        assert (file.name, file.bytes, file.sha256) == ("large.pdf", path.stat().st_size, digest)
        assert [one.file_id for one in await asyncio.to_thread(client.files, digest)] == [file.file_id]
    again = await offload.upload(path, reuse=True)
    assert again.file_id == file.file_id
    assert (await offload.upload(path)).file_id != file.file_id
    path.write_bytes(b"no document" * 500)
    with pytest.raises(ApiError, match="is not read here"):
        await offload.upload(path)


async def test_a_server_that_knows_no_pieces_gets_the_whole(
    served: Served, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(pieces, "LARGE_BYTES", 1000)
    path = tmp_path / "large.pdf"
    path.write_bytes(text_pdf(pages=1)[0])

    class Older(httpx.BaseTransport):
        real = httpx.HTTPTransport()

        def handle_request(self, request: httpx.Request) -> httpx.Response:
            if request.url.path.startswith("/api/uploads"):
                return httpx.Response(404, json={"status_code": 404, "detail": "There is nothing.", "errors": []})
            return self.real.handle_request(request)

    with Client(served.url, ACME, transport=Older()) as client:
        assert (await asyncio.to_thread(client.upload, path)).bytes == path.stat().st_size
