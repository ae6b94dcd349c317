"""Limits of an owner's plan at the API: 429, with the limit's name and when there is room again, and nothing half-stored."""

import asyncio
from hashlib import sha256
from typing import Any

import httpx
import pytest
from websockets.exceptions import ConnectionClosed, InvalidStatus

from tests.api.conftest import Served
from tests.api.test_job_events import follow, received
from tests.mail.campaigning import make_template
from tests.ocr.documents import text_pdf

PDF, _ = text_pdf(pages=2)


def other(number: int) -> bytes:
    """A document of bytes of its own, and of the size of all others."""
    return PDF + f"%{number}".encode()


SIZE = len(other(0))


async def give(served: Served, owner: str = "acme", plan: str | None = None, **own: Any) -> None:
    await served.services.owners.set(owner, plan, own, by="admin")


async def upload(client: httpx.AsyncClient, data: bytes = PDF) -> httpx.Response:
    return await client.post("/api/files", files={"file": ("lease.pdf", data)})


def stored(served: Served) -> list[str]:
    """Files under the storage and the folder of uploads."""
    data = served.services.settings.data_dir
    return [str(path) for name in ("files", "uploads") for path in (data / name).rglob("*") if path.is_file()]


def refused(answer: httpx.Response, beginning: str) -> int:
    """Seconds of Retry-After of a 429 whose sentence begins so."""
    assert answer.status_code == 429, answer.text
    body = answer.json()
    assert body["detail"].startswith(beginning) and body["status_code"] == 429 and body["errors"] == []
    return int(answer.headers["retry-after"])


async def test_requests_a_minute(acme: httpx.AsyncClient, globex: httpx.AsyncClient, served: Served) -> None:
    await give(served, plan="free", requests_per_minute=5)
    answers = await asyncio.gather(*(acme.get("/api/jobs") for _ in range(5)))
    assert [answer.status_code for answer in answers] == [200] * 5
    sentence = "Your own limit (plan free) allows 5 requests a minute; there is room again in 12 s."
    assert 10 <= refused(await acme.get("/api/jobs"), sentence[:60]) <= 12
    assert refused(await upload(acme), sentence[:60]) and not stored(served)
    assert refused(await acme.get("/api/usage"), sentence[:60])
    assert (await globex.get("/api/jobs")).status_code == 200
    await give(served)
    assert (await acme.get("/api/jobs")).status_code == 200


async def test_a_socket_is_a_request(acme: httpx.AsyncClient, served: Served) -> None:
    file_id = (await upload(acme)).json()["file_id"]
    job_id = (await acme.post("/api/jobs/pdf-ocr", json={"file_id": file_id})).json()["job_id"]
    await give(served, requests_per_minute=1)
    assert (await acme.get(f"/api/jobs/{job_id}/status")).status_code == 200
    with pytest.raises((ConnectionClosed, InvalidStatus)) as closed:
        async with follow(served, job_id) as socket:
            await received(socket)
    if isinstance(closed.value, ConnectionClosed):
        assert closed.value.rcvd is not None and closed.value.rcvd.code == 4429
    else:
        assert closed.value.response.status_code == 403


async def test_stored_bytes(acme: httpx.AsyncClient, globex: httpx.AsyncClient, served: Served) -> None:
    await give(served, plan="free", stored_bytes=2 * SIZE + 10)
    first = (await upload(acme, other(0))).json()["file_id"]
    # Two come at once, and there is room for one.
    answers = await asyncio.gather(upload(acme, other(1)), upload(acme, other(2)))
    assert sorted(answer.status_code for answer in answers) == [201, 429]
    over = next(answer for answer in answers if answer.status_code == 429)
    words = f"Your own limit (plan free) allows {2 * SIZE + 10:,} stored bytes: {2 * SIZE:,} are in use"
    assert refused(over, words) == 3600 and "once documents are deleted" in over.json()["detail"]
    files = stored(served)
    assert len(files) == 2
    big = await upload(acme, PDF + b"\0" * 3_000_000)
    assert refused(big, words) and stored(served) == files, "refused before it was received"
    image = await acme.post("/api/images", files={"file": ("a.pdf", other(3))})
    assert refused(image, words) and stored(served) == files
    begun = await acme.post("/api/uploads", headers={"Tus-Resumable": "1.0.0", "Upload-Length": str(SIZE)})
    assert refused(begun, words)
    assert (await upload(acme, other(0))).status_code == 201, "bytes that are stored already take none"
    assert (await upload(globex)).status_code == 201
    assert (await acme.delete(f"/api/files/{first}")).status_code == 204
    assert refused(await upload(acme, other(4)), words), "another document has the same bytes"
    for file in (await acme.get("/api/files", params={"sha256": sha256(other(0)).hexdigest()})).json()["files"]:
        assert (await acme.delete(f"/api/files/{file['file_id']}")).status_code == 204
    assert (await upload(acme, other(4))).status_code == 201


async def test_pages_a_month(acme: httpx.AsyncClient, served: Served) -> None:
    await give(served, pages_per_month=5)
    ids = [(await upload(acme)).json()["file_id"] for _ in range(2)]
    await acme.delete(f"/api/files/{ids[0]}")
    over = await upload(acme)
    words = "Your own limit (plan standard) allows 5 pages a month: 4 were uploaded in 20"
    assert 0 < refused(over, words) <= 31 * 86_400
    assert over.json()["detail"].endswith("; there is room again when the next month begins (UTC).")
    assert len(stored(served)) == 1
    usage = (await acme.get("/api/usage")).json()
    assert usage["pages_uploaded"] == {"used": 4, "limit": 5}, "neither the deleted nor the refused one changed it"


async def test_waiting_jobs(acme: httpx.AsyncClient, served: Served) -> None:
    await give(served, plan="free", queued_jobs=1)
    body = {"file_id": (await upload(acme)).json()["file_id"], "priority": "high"}
    first = await acme.post("/api/jobs/pdf-ocr", json=body)
    assert first.json()["warning"] == "It is queued at normal priority, the highest of your plan free."
    words = "Your own limit (plan free) allows 1 waiting job, and so many wait already; try again in 30 s."
    assert refused(await acme.post("/api/jobs/pdf-ocr", json=body), words) == 30
    batch = {"jobs": [{"type": "pdf-ocr", "payload": {"file_id": body["file_id"]}}]}
    (one,) = (await acme.post("/api/jobs/batch", json=batch)).json()["jobs"]
    assert one == {"status_code": 429, "detail": words, "errors": []}


async def test_mails_an_hour(acme: httpx.AsyncClient, served: Served) -> None:
    await give(served, mails_per_hour=3)
    template = await make_template(acme)
    campaign = {"template_id": template, "user_ids": [1, 2]}
    assert (await acme.post("/api/jobs/email-batch", json=campaign)).status_code == 202
    words = "Your own limit (plan standard) allows 3 mails an hour and this job sends 2; there is room for them in"
    assert 0 < refused(await acme.post("/api/jobs/email-batch", json=campaign), words) <= 1200
    report = {"report": "jobs", "from": "2026-01-01", "to": "2026-01-02"}
    twice = report | {"recipients": ["a@example.com", "b@example.com"]}
    assert refused(await acme.post("/api/jobs/report-pdf", json=twice), words)
    assert (await acme.post("/api/jobs/report-pdf", json=report)).status_code == 202, "it is mailed to nobody"
    many = await acme.post("/api/jobs/email-batch", json=campaign | {"user_ids": [1, 2, 3, 4]})
    assert refused(many, "Your own limit (plan standard) allows 3 mails an hour and this job sends 4: ask for fewer")
    flow = {"jobs": [{"name": "a", "type": "email-batch", "payload": campaign}]}
    assert refused(await acme.post("/api/workflows", json=flow), words)
    daily = {"name": "daily", "cron": "0 9 * * *", "job": "report-pdf", "payload": twice}
    schedule = (await acme.post("/api/schedules", json=daily)).json()["schedule_id"]
    assert refused(await acme.post(f"/api/schedules/{schedule}/run"), words)
    assert (await acme.get("/api/usage")).json()["mails"] == {"used": 2, "limit": 3}
    assert len((await acme.get("/api/jobs")).json()["jobs"]) == 2


async def test_use_beside_the_limits_of_a_plan(acme: httpx.AsyncClient, served: Served) -> None:
    before = (await acme.get("/api/usage")).json()
    assert (before["plan"], before["requests"], before["mails"]) == ("standard", *[{"used": None, "limit": None}] * 2)
    await give(served, plan="free")
    used = (await acme.get("/api/usage")).json()
    assert (used["plan"], used["priority"], used["weight"]) == ("free", "normal", 0.5)
    assert used["requests"] == {"used": 1, "limit": 120} and used["mails"] == {"used": 0, "limit": 100}
    limits = [used[name]["limit"] for name in ("jobs_waiting", "stored_bytes", "pages_uploaded")]
    assert limits == [100, 1_000_000_000, 1_000]
