"""Many jobs in one request."""

from typing import Any

import httpx
import pytest

from tests.api.conftest import Served

EXPORT = {"type": "csv-export", "payload": {"dataset": "users", "format": "csv"}}
WRONG = {"type": "csv-export", "payload": {"dataset": "users", "format": "xml"}}


async def batch(client: httpx.AsyncClient, jobs: list[dict[str, Any]], **more: Any) -> httpx.Response:
    return await client.post("/api/jobs/batch", json={"jobs": jobs} | more)


async def test_each_job_has_its_own_answer(acme: httpx.AsyncClient) -> None:
    later = EXPORT | {"priority": "high", "schedule_at": "2099-01-01T00:00:00Z"}
    unknown = {"type": "nothing", "payload": {}}
    missing = {"type": "pdf-ocr", "payload": {"file_id": "nope"}}
    answer = await batch(acme, [EXPORT, WRONG, later, unknown, missing])
    assert answer.status_code == 202
    first, wrong, scheduled, no_type, no_file = answer.json()["jobs"]
    assert (first["status"], scheduled["status"]) == ("queued", "scheduled")
    assert (wrong["status_code"], wrong["errors"][0]["field"]) == (400, "format")
    assert no_type["detail"].startswith("There is no job type nothing: there are ")
    assert (no_file["status_code"], no_file["errors"][0]["field"]) == (404, "file_id")
    assert (await acme.get(scheduled["status_url"])).json()["status"] == "scheduled"
    assert len((await acme.get("/api/jobs")).json()["jobs"]) == 2


async def test_all_or_nothing_names_every_wrong_field_and_queues_none(acme: httpx.AsyncClient) -> None:
    answer = await batch(acme, [EXPORT, WRONG, EXPORT], all_or_nothing=True)
    assert answer.status_code == 400
    assert answer.json()["errors"] == [{"field": "jobs[1].format", "message": "format must be csv or xlsx."}]
    assert (await acme.get("/api/jobs")).json()["jobs"] == []
    assert (await batch(acme, [EXPORT, EXPORT], all_or_nothing=True)).status_code == 202
    assert len((await acme.get("/api/jobs")).json()["jobs"]) == 2


async def test_all_or_nothing_holds_for_limits_and_keys(
    acme: httpx.AsyncClient, served: Served, monkeypatch: pytest.MonkeyPatch
) -> None:
    enqueuer = served.services.enqueuer
    bounded = {name: queue.model_copy(update={"owner_limit": 3}) for name, queue in enqueuer.preparation.queues.items()}
    monkeypatch.setattr(enqueuer.preparation, "queues", bounded)
    full = await batch(acme, [EXPORT] * 4, all_or_nothing=True)
    assert (full.status_code, full.headers["retry-after"]) == (429, "30")
    assert (await acme.get("/api/jobs")).json()["jobs"] == []
    assert (await batch(acme, [EXPORT | {"idempotency_key": "one"}])).status_code == 202
    other = {"type": "csv-export", "payload": {"dataset": "users", "format": "xlsx"}, "idempotency_key": "one"}
    assert (await batch(acme, [EXPORT, other], all_or_nothing=True)).status_code == 409
    assert len((await acme.get("/api/jobs")).json()["jobs"]) == 1
    jobs = (await batch(acme, [EXPORT] * 4)).json()["jobs"]
    assert [one.get("status_code") for one in jobs] == [None, None, 429, 429]


async def test_a_key_makes_the_same_job_of_a_repetition(acme: httpx.AsyncClient) -> None:
    keyed = [EXPORT | {"idempotency_key": f"row-{number}"} for number in range(100)]
    first, again = (await batch(acme, keyed)).json()["jobs"], (await batch(acme, keyed)).json()["jobs"]
    assert [one["job_id"] for one in first] == [one["job_id"] for one in again]
    assert len({one["job_id"] for one in first}) == 100


@pytest.mark.parametrize(
    ("body", "field"),
    [
        ({"jobs": []}, "jobs"),
        ({"jobs": [EXPORT] * 1001}, "jobs"),
        ({"jobs": [{"type": "csv-export"}]}, "jobs[0]"),
        ({"jobs": [EXPORT | {"idempotency_key": "\u00e4"}], "all_or_nothing": True}, "jobs[0].idempotency_key"),
        ({"jobs": [EXPORT], "colour": 1}, "colour"),
        ({"jobs": "many"}, "jobs"),
    ],
)
async def test_bad_batches(acme: httpx.AsyncClient, body: dict[str, Any], field: str) -> None:
    answer = await acme.post("/api/jobs/batch", json=body)
    assert (answer.status_code, answer.json()["errors"][0]["field"]) == (400, field), answer.text


async def test_a_schedule_in_the_past_is_refused(acme: httpx.AsyncClient) -> None:
    (answer,) = (await batch(acme, [EXPORT | {"schedule_at": "2020-01-01T00:00:00Z"}])).json()["jobs"]
    assert (answer["status_code"], answer["errors"][0]["field"]) == (400, "schedule_at")


async def test_terms_hold_within_a_batch_too(acme: httpx.AsyncClient) -> None:
    once = EXPORT | {"unique_key": "users", "unique_for_s": 60, "deadline": "2099-01-01T00:00:00Z"}
    put_off = EXPORT | {"debounce": {"key": "users", "delay_s": 30}}
    answer = await batch(acme, [once, once, put_off, put_off, EXPORT | {"unique_for_s": 5}])
    first, again, waiting, longer, wrong = answer.json()["jobs"]
    assert first["job_id"] == again["job_id"] != waiting["job_id"] == longer["job_id"]
    assert (waiting["status"], wrong["errors"][0]["field"]) == ("scheduled", "unique_for_s")
    together = await batch(acme, [once, put_off], all_or_nothing=True)
    assert [one["job_id"] for one in together.json()["jobs"]] == [first["job_id"], waiting["job_id"]]
