"""Workflows over HTTP: what is queued, what is refused, and who may see it."""

from typing import Any

import httpx
import pytest

from tests.api.conftest import Served

PAYLOAD = {"dataset": "users", "format": "csv"}


def job(name: str, *after: str, **more: Any) -> dict[str, Any]:
    return {"name": name, "type": "csv-export", "payload": PAYLOAD, "after": list(after)} | more


async def post(client: httpx.AsyncClient, *jobs: dict[str, Any], key: str = "", **more: Any) -> httpx.Response:
    headers = {"Idempotency-Key": key} if key else {}
    return await client.post("/api/workflows", json={"jobs": jobs} | more, headers=headers)


async def test_a_workflow_is_queued_whole_and_read_by_its_owner_alone(
    acme: httpx.AsyncClient, globex: httpx.AsyncClient
) -> None:
    answer = await post(acme, job("last", "first"), job("first"), on_failure="continue")
    assert answer.status_code == 202
    body = answer.json()
    assert set(body["jobs"]) == {"first", "last"}
    url = f"/api/workflows/{body['workflow_id']}"
    found = (await acme.get(url)).json()
    assert (found["status"], found["on_failure"]) == ("active", "continue")
    last = found["jobs"]["last"]
    assert (last["after"], last["status"], last["message"]) == (["first"], "scheduled", "Waits for first")
    assert found["jobs"]["first"]["status"] == "queued"
    assert last["job_id"] == body["jobs"]["last"]
    assert (await globex.get(url)).status_code == 404
    assert (await globex.post(f"{url}/cancel")).status_code == 404
    assert (await acme.get(last["status_url"])).json()["status"] == "scheduled"
    cancelled = await acme.post(f"{url}/cancel")
    assert (cancelled.status_code, cancelled.json()["status"]) == (202, "cancelled")
    assert {one["status"] for one in cancelled.json()["jobs"].values()} == {"cancelled"}
    assert (await acme.post(f"{url}/cancel")).status_code == 409


@pytest.mark.parametrize(
    ("jobs", "field", "detail"),
    [
        ([], "jobs", "jobs"),
        ([job("a"), job("a")], "jobs[1].name", "Two jobs are named a."),
        ([job("a", "b")], "jobs[0].after", "There is no job b in the workflow."),
        ([job("a"), job("b", "a", "a")], "jobs[1].after", "after names a job twice."),
        ([job("a", "a")], "jobs", "in a circle: a → a."),
        ([job("a", "c"), job("b", "a"), job("c", "b")], "jobs", "in a circle: "),
        ([job("a b")], "jobs[0].name", "name"),
        ([job("a", type="nothing")], "jobs[0].job", "There is no job type nothing: "),
        ([job("a", payload=PAYLOAD | {"format": "xml"})], "jobs[0].format", "format must be csv or xlsx."),
        ([job("a", payload={"dataset": {"$job": "z"}})], "jobs[0].payload", "There is no job z in the workflow."),
        ([job(f"job-{number}") for number in range(101)], "jobs", "100"),
    ],
)
async def test_what_is_wrong_is_named_and_nothing_is_queued(
    acme: httpx.AsyncClient, jobs: list[dict[str, Any]], field: str, detail: str
) -> None:
    answer = await post(acme, *jobs)
    assert answer.status_code == 400, answer.text
    assert answer.json()["errors"][0]["field"] == field
    assert detail in answer.json()["errors"][0]["message"]
    assert (await acme.get("/api/jobs")).json()["jobs"] == []


async def test_a_key_makes_the_same_workflow_of_a_repetition(
    acme: httpx.AsyncClient, globex: httpx.AsyncClient
) -> None:
    first = await post(acme, job("a"), job("b", "a"), key="flow-1")
    again = await post(acme, job("a"), job("b", "a"), key="flow-1")
    assert again.status_code == 202 and again.json() == first.json()
    assert (await post(acme, job("a"), key="flow-1")).status_code == 409
    assert (await post(globex, job("a"), key="flow-1")).status_code == 202
    assert len((await acme.get("/api/jobs")).json()["jobs"]) == 2


async def test_one_job_over_the_owners_limit_keeps_all_from_being_queued(
    acme: httpx.AsyncClient, served: Served, monkeypatch: pytest.MonkeyPatch
) -> None:
    enqueuer = served.services.enqueuer
    bounded = {name: queue.model_copy(update={"owner_limit": 1}) for name, queue in enqueuer.preparation.queues.items()}
    monkeypatch.setattr(enqueuer.preparation, "queues", bounded)
    answer = await post(acme, job("a"), job("b", "a"))
    assert (answer.status_code, answer.headers["retry-after"]) == (429, "30")
    assert (await acme.get("/api/jobs")).json()["jobs"] == []
    assert await served.services.redis.keys("offload:workflow:*") == []


async def test_a_payload_may_name_jobs_by_their_names(acme: httpx.AsyncClient, served: Served) -> None:
    # The field takes any text: what stands there is the id of the job that is named.
    named = PAYLOAD | {"query_params": {"search": {"$job": "a"}}}
    answer = await post(acme, job("a"), job("b", "a", payload=named))
    assert answer.status_code == 202, answer.text
    ids = answer.json()["jobs"]
    stored = await served.services.store.present(ids["b"])
    assert stored.payload["query_params"] == {"search": ids["a"]}


async def test_a_callback_goes_to_public_addresses_only(acme: httpx.AsyncClient) -> None:
    answer = await post(acme, job("a"), callback_url="http://127.0.0.1:9/hook")
    assert (answer.status_code, answer.json()["errors"][0]["field"]) == (400, "callback_url")
    assert (await post(acme, job("a"), callback_url="https://8.8.8.8/hook")).status_code == 202
