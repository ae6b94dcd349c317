"""POST /api/jobs/pdf-ocr: what is queued, and every way to be refused."""

from datetime import UTC, datetime, timedelta
from typing import Any

import httpx
import pytest

from settings import Queue
from tests.api.conftest import Served
from tests.documents.samples import pdf

ACCEPTED = {"job_id", "status", "status_url", "estimated_duration", "estimated_seconds"}


async def upload(client: httpx.AsyncClient, pages: int = 2) -> str:
    answer = await client.post("/api/files", files={"file": ("scan.pdf", pdf(pages))})
    return str(answer.json()["file_id"])


async def submit(client: httpx.AsyncClient, body: Any, **headers: str) -> httpx.Response:
    return await client.post(
        "/api/jobs/pdf-ocr", json=body, headers={k.replace("_", "-"): v for k, v in headers.items()}
    )


async def test_a_job_is_queued_with_the_documents_pages_as_its_units(acme: httpx.AsyncClient, served: Served) -> None:
    file_id = await upload(acme, 3)
    answer = await submit(acme, {"file_id": file_id, "priority": "high"})
    assert answer.status_code == 202
    body = answer.json()
    assert set(body) == ACCEPTED and body["status"] == "queued" and body["estimated_seconds"] >= 1
    job = await served.services.store.get(body["job_id"])
    assert job is not None
    assert (job.owner, job.priority, job.units, job.payload["file_id"]) == ("acme", "high", 3, file_id)
    status = (await acme.get(body["status_url"])).json()
    assert (status["id"], status["status"], status["progress"]) == (body["job_id"], "queued", 0)


@pytest.mark.parametrize("moment", ["{}", "{}Z", "{}+05:30"])
async def test_a_job_for_later_is_scheduled(acme: httpx.AsyncClient, moment: str) -> None:
    later = (datetime.now(UTC) + timedelta(days=2)).replace(tzinfo=None).isoformat()
    answer = await submit(acme, {"file_id": await upload(acme), "schedule_at": moment.format(later)})
    if moment == "{}":
        assert (answer.status_code, answer.json()["errors"][0]["field"]) == (400, "schedule_at")
        assert "time zone" in answer.json()["detail"]
    else:
        assert (answer.status_code, answer.json()["status"]) == (202, "scheduled")


async def test_a_moment_long_past_is_refused_and_one_just_past_is_now(acme: httpx.AsyncClient) -> None:
    file_id, now = await upload(acme), datetime.now(UTC)
    past = await submit(acme, {"file_id": file_id, "schedule_at": (now - timedelta(hours=1)).isoformat()})
    assert (past.status_code, past.json()["errors"][0]["field"]) == (400, "schedule_at")
    assert "in the past" in past.json()["detail"]
    just = await submit(acme, {"file_id": file_id, "schedule_at": (now - timedelta(seconds=2)).isoformat()})
    assert (just.status_code, just.json()["status"]) == (202, "queued")


async def test_an_unknown_type_is_named_with_those_that_there_are(
    acme: httpx.AsyncClient, anonymous: httpx.AsyncClient
) -> None:
    answer = await acme.post("/api/jobs/pdf-orc", content=b"{")
    assert answer.status_code == 404
    sentence, _, named = answer.json()["detail"].partition(": there are ")
    assert sentence == "There is no job type pdf-orc"
    assert {"csv-export", "email-batch", "pdf-ocr", "thumbnails"} <= set(named.removesuffix(".").split(", "))
    for private in ("weekly-report", "x" * 5000):
        detail = (await acme.post(f"/api/jobs/{private}", json={})).json()["detail"]
        assert detail.startswith(f"There is no job type {private[:80]}: ") and private not in detail.partition(":")[2]
    assert (await anonymous.post("/api/jobs/pdf-orc", json={})).status_code == 401


async def test_the_same_key_and_body_give_the_same_job(acme: httpx.AsyncClient, globex: httpx.AsyncClient) -> None:
    file_id = await upload(acme)
    body = {"file_id": file_id, "priority": "high"}
    first = await submit(acme, body, Idempotency_Key="once")
    again = await submit(acme, body, Idempotency_Key="once")
    assert first.status_code == again.status_code == 202
    assert first.json()["job_id"] == again.json()["job_id"]
    other = await submit(acme, {**body, "priority": "low"}, Idempotency_Key="once")
    assert other.status_code == 409 and "once" in other.json()["detail"]
    theirs = await submit(globex, {"file_id": await upload(globex)}, Idempotency_Key="once")
    assert theirs.status_code == 202 and theirs.json()["job_id"] != first.json()["job_id"]
    assert len((await acme.get("/api/jobs")).json()["jobs"]) == 1


async def test_the_key_of_a_deleted_job_makes_a_new_one(acme: httpx.AsyncClient) -> None:
    body = {"file_id": await upload(acme)}
    first = (await submit(acme, body, Idempotency_Key="once")).json()["job_id"]
    assert (await acme.post(f"/api/jobs/{first}/cancel")).status_code == 202
    assert (await acme.delete(f"/api/jobs/{first}")).status_code == 204
    answer = await submit(acme, body, Idempotency_Key="once")
    assert (answer.status_code, answer.json()["status"]) == (202, "queued")
    assert answer.json()["job_id"] != first
    assert (await acme.get(answer.json()["status_url"])).status_code == 200
    again = await submit(acme, body, Idempotency_Key="once")
    assert again.json()["job_id"] == answer.json()["job_id"], "from now on the key is the new job's"


@pytest.mark.parametrize("key", ["", "x" * 256, "tab\there"])
async def test_a_key_that_is_none_is_refused(acme: httpx.AsyncClient, key: str) -> None:
    answer = await submit(acme, {"file_id": "file-x"}, Idempotency_Key=key)
    assert (answer.status_code, answer.json()["errors"][0]["field"]) == (400, "Idempotency-Key")


@pytest.mark.parametrize(
    ("body", "wrong"),
    [
        ({}, {"file_id": "file_id is required."}),
        ({"file_id": 7}, {"file_id": "file_id must be text, not a whole number."}),
        ({"file_id": None}, {"file_id": "file_id must be text, not null."}),
        ({"file_id": "x", "priority": "urgent"}, {"priority": "priority must be high or normal or low."}),
        ({"file_id": "x", "languages": ["en", 5]}, {"languages[1]": "languages[1] must be text, not a whole number."}),
        ({"file_id": "x", "languages": "en"}, {"languages": "languages must be a list, not text."}),
        (
            {"colour": "red", "priority": 1, "schedule_at": "soon"},
            {"file_id": None, "colour": None, "priority": None, "schedule_at": None},
        ),
        ([1, 2], {"body": "The body must be a JSON object."}),
        ("text", {"body": "The body must be a JSON object."}),
        (None, {"body": "The body is empty: send a JSON object."}),
    ],
)
async def test_every_wrong_field_is_named(acme: httpx.AsyncClient, body: Any, wrong: dict[str, str | None]) -> None:
    answer = await submit(acme, body)
    assert answer.status_code == 400
    named = {error["field"]: error["message"] for error in answer.json()["errors"]}
    assert set(named) == set(wrong)
    for field, sentence in wrong.items():
        assert sentence in (None, named[field])
        assert field in named[field] or field == "body"
    detail = answer.json()["detail"]
    assert detail == (next(iter(named.values())) if len(named) == 1 else f"{len(named)} fields are wrong.")


async def test_an_unknown_field_is_told_the_known_ones(acme: httpx.AsyncClient) -> None:
    answer = await submit(acme, {"file_id": "x", "colour": "red"})
    message = answer.json()["detail"]
    assert message.startswith("colour is not a field of this request: it takes file_id, ")
    assert "schedule_at" in message


@pytest.mark.parametrize(
    "content",
    [
        b"", b"   ", b"{", b'{"file_id": }', b"\xff\xfe", b'{"file_id": "\xff"}', b"[" * 100_000, b"NaN", b'{"a":1}}',
        b'{"file_id":"\\ud800"}', b"1e999999", b"\x00",
    ],
)  # fmt: skip
async def test_malformed_json_is_a_400(acme: httpx.AsyncClient, content: bytes) -> None:
    answer = await acme.post("/api/jobs/pdf-ocr", content=content, headers={"Content-Type": "application/json"})
    assert answer.status_code == 400
    assert answer.json()["errors"][0]["field"] in ("body", "file_id")
    assert answer.json()["detail"]


async def test_a_body_beyond_all_measure_is_a_413(acme: httpx.AsyncClient) -> None:
    answer = await submit(acme, {"file_id": "x" * 17_000_000})
    assert (answer.status_code, answer.json()["status_code"]) == (413, 413)


async def test_unknown_and_foreign_files_are_both_404(acme: httpx.AsyncClient, globex: httpx.AsyncClient) -> None:
    for file_id in ("no-such", "file-" + "0" * 32, await upload(globex), "💥"):
        answer = await submit(acme, {"file_id": file_id})
        assert answer.status_code == 404
        assert answer.json()["errors"][0]["field"] == "file_id"
        assert answer.json()["detail"].startswith("There is no file ")
    assert (await acme.get("/api/jobs")).json()["jobs"] == []


async def test_an_owner_over_its_limit_is_told_when_to_come_back(acme: httpx.AsyncClient, served: Served) -> None:
    file_id = await upload(acme)
    queues = served.services.enqueuer.preparation.queues
    served.services.enqueuer.preparation.queues = {
        queue: bounds.model_copy(update={"owner_limit": 1}) if queue is Queue.PDF_PROCESSING else bounds
        for queue, bounds in queues.items()
    }
    assert (await submit(acme, {"file_id": file_id})).status_code == 202
    answer = await submit(acme, {"file_id": file_id})
    assert answer.status_code == 429
    assert int(answer.headers["retry-after"]) > 0


async def test_terms_of_a_job(acme: httpx.AsyncClient) -> None:
    file_id = (await acme.post("/api/files", files={"file": ("scan.pdf", pdf(1))})).json()["file_id"]
    soon, late = "2100-01-01T00:00:00Z", "2100-01-02T00:00:00Z"
    terms = {"not_after": soon, "deadline": late, "unique_key": "scan", "unique_for_s": 60}
    first = await acme.post("/api/jobs/pdf-ocr", json={"file_id": file_id, **terms})
    again = await acme.post("/api/jobs/pdf-ocr", json={"file_id": file_id, **terms})
    assert (first.status_code, again.status_code) == (202, 202)
    assert first.json()["job_id"] == again.json()["job_id"] and "warning" not in first.json()
    detail = (await acme.get(f"/api/jobs/{first.json()['job_id']}")).json()
    assert (detail["not_after"], detail["deadline"]) == ("2100-01-01T00:00:00.000Z", "2100-01-02T00:00:00.000Z")
    put_off = {"debounce": {"key": "scan", "delay_s": 30}}
    waiting = [(await acme.post("/api/jobs/pdf-ocr", json={"file_id": file_id, **put_off})).json() for _ in range(2)]
    assert {(one["job_id"], one["status"]) for one in waiting} == {(waiting[0]["job_id"], "scheduled")}


@pytest.mark.parametrize(
    ("terms", "field"),
    [
        ({"not_after": "2001-01-01T00:00:00Z"}, "not_after"),
        ({"deadline": "tomorrow"}, "deadline"),
        ({"unique_for_s": 5}, "unique_for_s"),
        ({"unique_key": ""}, "unique_key"),
        ({"debounce": {"key": "k"}}, "debounce"),
        ({"debounce": {"key": "k", "delay_s": -1}}, "debounce.delay_s"),
        ({"debounce": {"key": "k", "delay_s": 9, "max_delay_s": 1}}, "debounce.max_delay_s"),
    ],
)
async def test_terms_that_make_no_sense_are_named(acme: httpx.AsyncClient, terms: dict[str, Any], field: str) -> None:
    answer = await acme.post("/api/jobs/pdf-ocr", json={"file_id": "file-1", **terms})
    assert (answer.status_code, [error["field"] for error in answer.json()["errors"]]) == (400, [field])
    assert answer.json()["detail"]
