"""One job's life as its owner sees it, and the list."""

import asyncio
from typing import Any

import httpx
import pytest

from tests.api.conftest import Served
from tests.api.hands import Hands
from tests.documents.samples import pdf

STATUS = {
    "id", "status", "progress", "message", "data", "created_at", "started_at", "estimated_completion", "finished_at",
    "attempt", "error", "result", "files", "next_jobs",
}  # fmt: skip


async def queued(client: httpx.AsyncClient, **body: Any) -> str:
    file_id = (await client.post("/api/files", files={"file": ("scan.pdf", pdf(2))})).json()["file_id"]
    answer = await client.post("/api/jobs/pdf-ocr", json={"file_id": file_id, **body})
    assert answer.status_code == 202, answer.text
    return str(answer.json()["job_id"])


async def test_from_queued_to_its_text(acme: httpx.AsyncClient, hands: Hands) -> None:
    job_id = await queued(acme)
    job = await hands.take()
    await hands.progress(job, 67, "Processing page 134 of 200 (67%)", pages_processed=134, total_pages=200)
    status = (await acme.get(f"/api/jobs/{job_id}/status")).json()
    assert set(status) == STATUS
    assert (status["status"], status["progress"], status["attempt"]) == ("active", 67, 1)
    assert status["data"] == {"pages_processed": 134, "total_pages": 200}
    assert status["created_at"].endswith("Z") and len(status["started_at"]) == len("2026-01-31T08:00:00.000Z")
    assert status["result"] is None and status["files"] == []
    early = await acme.get(f"/api/jobs/{job_id}/files/text.txt")
    assert early.status_code == 404
    assert early.json()["detail"].startswith(f"Job {job_id} has no file text.txt yet: it is active, at 67 %.")
    await hands.complete(job, text_txt=b"The text of the scan.")
    ended = (await acme.get(f"/api/jobs/{job_id}/status")).json()
    assert ended["files"][0]["url"] == f"/api/jobs/{job_id}/files/text.txt"
    assert (await acme.get(ended["files"][0]["url"])).text == "The text of the scan."
    named = await acme.get(ended["files"][0]["url"])
    assert named.headers["content-type"] == "text/plain; charset=utf-8"
    other = (await acme.get(f"/api/jobs/{job_id}/files/text.tx")).json()["detail"]
    assert other == f"Job {job_id} has no file text.tx: it has text.txt."
    detail = (await acme.get(f"/api/jobs/{job_id}")).json()
    assert set(detail) >= STATUS | {"payload", "attempts", "result", "parts"}
    assert (detail["status"], detail["progress"], detail["attempts"][0]["worker"]) == ("completed", 100, "by-hand")
    url = f"/api/jobs/{job_id}/files/text.txt"
    assert detail["files"] == [{"name": "text.txt", "bytes": 21, "media_type": "text/plain", "url": url}]
    assert detail["files"] == ended["files"] and detail["result"] == ended["result"]
    whole = await acme.get(f"/api/jobs/{job_id}/files/text.txt")
    assert (whole.status_code, whole.text) == (200, "The text of the scan.")
    some = await acme.get(f"/api/jobs/{job_id}/files/text.txt", headers={"Range": "bytes=4-7"})
    assert (some.status_code, some.text, some.headers["content-range"]) == (206, "text", "bytes 4-7/21")


@pytest.mark.parametrize("name", ["pages.json", "%2e%2e", "text.txt%2f..", "%2e%2e%2fkept%2fx", "text.txt%00"])
async def test_no_file_but_the_jobs_own_artefacts(acme: httpx.AsyncClient, hands: Hands, name: str) -> None:
    job_id = await queued(acme)
    await hands.complete(await hands.take(), text_txt=b"x")
    assert (await acme.get(f"/api/jobs/{job_id}/files/{name}")).status_code == 404


async def test_a_failed_job_is_kept_retried_and_deleted(acme: httpx.AsyncClient, hands: Hands) -> None:
    job_id = await queued(acme)
    await hands.fail(await hands.take(), "scan.pdf needs a password")
    assert (await acme.get(f"/api/jobs/{job_id}/status")).json()["error"] == "scan.pdf needs a password"
    assert (await acme.post(f"/api/jobs/{job_id}/cancel")).status_code == 409
    retried = await acme.post(f"/api/jobs/{job_id}/retry")
    assert (retried.status_code, retried.json()["status"]) == (202, "queued")
    again = await acme.post(f"/api/jobs/{job_id}/retry")
    assert again.status_code == 409 and "queued" in again.json()["detail"]
    assert (await acme.delete(f"/api/jobs/{job_id}")).status_code == 409
    await hands.complete(await hands.take(), text_txt=b"x")
    assert (await acme.delete(f"/api/jobs/{job_id}")).status_code == 204
    for path in ("", "/status", "/files/text.txt"):
        assert (await acme.get(f"/api/jobs/{job_id}{path}")).status_code == 404


async def test_a_waiting_job_is_cancelled_at_once(acme: httpx.AsyncClient) -> None:
    job_id = await queued(acme)
    answer = await acme.post(f"/api/jobs/{job_id}/cancel")
    assert (answer.status_code, answer.json()["status"]) == (202, "cancelled")


async def test_another_owners_job_does_not_exist(
    acme: httpx.AsyncClient, globex: httpx.AsyncClient, hands: Hands
) -> None:
    job_id = await queued(acme)
    await hands.complete(await hands.take(), text_txt=b"x")
    for method, path in (
        ("GET", ""), ("GET", "/status"), ("GET", "/files/text.txt"), ("POST", "/retry"), ("POST", "/cancel"),
        ("DELETE", ""),
    ):  # fmt: skip
        theirs = await globex.request(method, f"/api/jobs/{job_id}{path}")
        unknown = await globex.request(method, f"/api/jobs/unknown{path}")
        assert theirs.status_code == unknown.status_code == 404, (method, path)
        assert theirs.json()["detail"] == unknown.json()["detail"].replace("unknown", job_id)
    assert (await globex.get("/api/jobs")).json() == {"jobs": [], "next_cursor": None}
    assert (await acme.get(f"/api/jobs/{job_id}")).status_code == 200


async def test_the_list_pages_from_the_newest_and_filters(acme: httpx.AsyncClient, hands: Hands) -> None:
    ids = [await queued(acme) for _ in range(5)]
    await hands.fail(await hands.take(), "no")
    seen: list[str] = []
    cursor: str | None = None
    while True:
        page = (await acme.get("/api/jobs", params={"limit": 2} | ({"cursor": cursor} if cursor else {}))).json()
        assert len(page["jobs"]) <= 2
        seen += [job["id"] for job in page["jobs"]]
        cursor = page["next_cursor"]
        if cursor is None:
            break
    assert seen == ids[::-1]
    failed = (
        await acme.get("/api/jobs", params={"status": "failed", "queue": "pdf-processing", "type": "pdf-ocr"})
    ).json()
    assert [job["status"] for job in failed["jobs"]] == ["failed"]
    assert (await acme.get("/api/jobs", params={"queue": "thumbnails"})).json()["jobs"] == []


@pytest.mark.parametrize(
    ("query", "field"),
    [
        ("queue=nothing", "queue"),
        ("status=done", "status"),
        ("type=no-such", "type"),
        ("limit=0", "limit"),
        ("limit=201", "limit"),
        ("limit=many", "limit"),
        ("cursor=not-ours", "cursor"),
        ("state=failed", "state"),
    ],
)
async def test_a_wrong_filter_is_named(acme: httpx.AsyncClient, query: str, field: str) -> None:
    answer = await acme.get(f"/api/jobs?{query}")
    assert (answer.status_code, [error["field"] for error in answer.json()["errors"]]) == (400, [field])
    assert answer.json()["detail"]


async def test_health_tells_what_does_not_answer(anonymous: httpx.AsyncClient, served: Served, hands: Hands) -> None:
    assert (await anonymous.get("/health/live")).json()["status"] == "ok"
    ready = await anonymous.get("/health/ready")
    assert (ready.status_code, ready.json()) == (
        200,
        {"status": "ok", "checks": {"redis": "ok", "database": "ok", "storage": "ok"}},
    )
    workers = await anonymous.get("/workers/health")
    assert (workers.status_code, workers.json()["workers"], workers.json()["detail"]) == (
        503,
        [],
        "No worker is alive.",
    )
    root = served.services.storage.root
    assert root is not None
    root.rename(root.with_name("elsewhere"))
    ready = await anonymous.get("/health/ready")
    assert ready.status_code == 503
    assert ready.json()["checks"] == {"redis": "ok", "database": "ok", "storage": "does not work: PermissionError"}
    assert str(root) not in ready.text


async def test_a_full_queue_server_is_named(
    acme: httpx.AsyncClient, anonymous: httpx.AsyncClient, served: Served
) -> None:
    job_id = await queued(acme)
    file_id = (await acme.get(f"/api/jobs/{job_id}")).json()["payload"]["file_id"]
    redis = served.services.redis
    await redis.config_set("maxmemory", 1)
    try:
        ready = await anonymous.get("/health/ready")
        requested = await acme.post("/api/jobs/pdf-ocr", json={"file_id": file_id})
        stopped = await acme.post(f"/api/jobs/{job_id}/cancel")
    finally:
        await redis.config_set("maxmemory", 0)
    assert (ready.status_code, ready.json()["checks"]["redis"]) == (503, "takes no new jobs: its memory is full")
    assert requested.status_code == 503 and int(requested.headers["Retry-After"]) > 0
    assert requested.json()["detail"] == "The queue server takes no jobs for the moment: its memory is full; try again."
    assert stopped.status_code == 202, "what frees memory is done"
    assert (await anonymous.get("/health/ready")).status_code == 200


async def test_a_large_payload_is_shown_repeated_and_refused_where_the_storage_is_away(
    acme: httpx.AsyncClient, served: Served
) -> None:
    file_id = (await acme.post("/api/files", files={"file": ("scan.pdf", pdf(1))})).json()["file_id"]
    body = {"document_ids": [file_id] * 2_000}
    accepted = await acme.post("/api/jobs/thumbnails", json=body)
    assert accepted.status_code == 202, accepted.text
    job_id = accepted.json()["job_id"]
    detail = (await acme.get(f"/api/jobs/{job_id}")).json()
    assert (detail["payload"]["document_ids"], detail["payload_note"]) == (body["document_ids"], None)
    root = served.services.storage.root
    assert root is not None
    (root / "jobs").rename(root / "elsewhere")
    gone = (await acme.get(f"/api/jobs/{job_id}")).json()
    assert gone["payload"] == {} and f"payload of {job_id} (" in gone["payload_note"]
    (root / "jobs").write_text("in the way")
    refused = await acme.post("/api/jobs/thumbnails", json=body)
    assert refused.status_code == 503 and int(refused.headers["Retry-After"]) > 0
    assert refused.json()["detail"].startswith("The file storage ") and str(root) not in refused.text
    assert [job["id"] for job in (await acme.get("/api/jobs?type=thumbnails")).json()["jobs"]] == [job_id]


async def test_many_readers_at_once_are_all_answered(acme: httpx.AsyncClient) -> None:
    job_id = await queued(acme)
    answers = await asyncio.gather(*(acme.get(f"/api/jobs/{job_id}/status") for _ in range(60)))
    assert {answer.status_code for answer in answers} == {200}


@pytest.mark.parametrize("database_kind", ["sqlite"], indirect=True)
async def test_one_owners_burst_hurts_nobody_else(
    acme: httpx.AsyncClient, globex: httpx.AsyncClient, anonymous: httpx.AsyncClient
) -> None:
    await queued(acme)
    burst = asyncio.gather(*(acme.get("/api/jobs?limit=200") for _ in range(150)))
    others = [await globex.get("/api/jobs"), await anonymous.get("/health/ready")]
    assert [answer.status_code for answer in others] == [200, 200], others[1].text
    assert {answer.status_code for answer in await burst} == {200}
