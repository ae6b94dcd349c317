"""Webhooks of owners, and `callback_url` of jobs."""

from collections.abc import AsyncIterator
from typing import Any

import httpx
import pytest

from service.webhooks.addresses import Addresses
from tests.api.conftest import Served
from tests.waiting import wait_until_async
from tests.webhooks.receiver import Receiver, receiving

HOOK = {"url": "https://8.8.8.8/hook", "events": ["job.completed", "job.failed"]}


@pytest.fixture
async def receiver(served: Served, monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[Receiver]:
    """A receiver on loopback, which the installation permits."""
    monkeypatch.setattr(served.services.webhooks.addresses, "allow_private", True)
    async with receiving() as running:
        yield running


async def made(client: httpx.AsyncClient, **changes: Any) -> dict[str, str]:
    answer = await client.post("/api/webhooks", json=HOOK | changes)
    assert answer.status_code == 201, answer.text
    body: dict[str, str] = answer.json()
    return body


async def test_made_listed_and_deleted(acme: httpx.AsyncClient, globex: httpx.AsyncClient) -> None:
    body = await made(acme)
    assert set(body) == {"webhook_id", "secret"} and body["secret"].startswith("whsec_")
    path = f"/api/webhooks/{body['webhook_id']}"
    (listed,) = (await acme.get("/api/webhooks")).json()["webhooks"]
    assert listed == (await acme.get(path)).json()
    assert (listed["url"], listed["events"], listed["disabled_at"]) == (HOOK["url"], HOOK["events"], None)
    assert body["secret"] not in str(listed)
    assert (await globex.get("/api/webhooks")).json() == {"webhooks": []}
    for call in (
        globex.get(path),
        globex.delete(path),
        globex.post(f"{path}/test"),
        globex.post(f"{path}/enable"),
        globex.get(f"{path}/deliveries"),
    ):
        assert (await call).status_code == 404
    assert (await acme.delete(path)).status_code == 204
    assert (await acme.get(path)).json()["detail"] == f"There is no webhook {body['webhook_id']}."


@pytest.mark.parametrize(
    ("changes", "field"),
    [
        ({"url": "http://127.0.0.1:8000/"}, "url"),
        ({"url": "http://[::ffff:169.254.169.254]/"}, "url"),
        ({"url": "gopher://8.8.8.8/"}, "url"),
        ({"url": ""}, "url"),
        ({"url": "https://8.8.8.8/\u0000"}, "url"),
        ({"events": []}, "events"),
        ({"events": ["job.begun"]}, "events[0]"),
        ({"secret": "mine"}, "secret"),
    ],
)
async def test_webhooks_that_cannot_be(acme: httpx.AsyncClient, changes: dict[str, Any], field: str) -> None:
    answer = await acme.post("/api/webhooks", json=HOOK | changes)
    assert answer.status_code == 400 and answer.json()["errors"][0]["field"] == field, answer.text


async def test_an_owner_keeps_twenty(acme: httpx.AsyncClient, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("service.webhooks.rows.PER_OWNER", 1)
    await made(acme)
    answer = await acme.post("/api/webhooks", json=HOOK)
    assert answer.status_code == 409 and answer.json()["detail"].startswith("An owner keeps at most")


async def test_a_key_of_some_job_types_has_no_webhooks(acme: httpx.AsyncClient, served: Served) -> None:
    keys = served.services.api_keys
    _, secret = await keys.create("acme", "importer", created_by="test", job_types=["pdf-ocr"])
    _, reader = await keys.create("acme", "reader", created_by="test", scopes=["read"])
    bearer = {"Authorization": f"Bearer {secret}"}
    answer = await acme.post("/api/webhooks", json=HOOK, headers=bearer)
    assert answer.status_code == 403 and "webhooks tell of every job" in answer.json()["detail"]
    assert (await acme.get("/api/webhooks", headers=bearer)).status_code == 403
    bearer = {"Authorization": f"Bearer {reader}"}
    assert (await acme.get("/api/webhooks", headers=bearer)).status_code == 200
    assert (await acme.post("/api/webhooks", json=HOOK, headers=bearer)).status_code == 403
    assert (await acme.get("/api/webhooks/callback-secret", headers=bearer)).status_code == 403


async def test_a_test_message_stands_in_the_log_and_is_sent_once_more(
    acme: httpx.AsyncClient, globex: httpx.AsyncClient, served: Served, receiver: Receiver
) -> None:
    body = await made(acme, url=receiver.url)
    path = f"/api/webhooks/{body['webhook_id']}"
    queued = await acme.post(f"{path}/test")
    assert queued.status_code == 202
    delivery_id = queued.json()["delivery_id"]
    again = f"{path}/deliveries/{delivery_id}/redeliver"
    assert (await acme.post(again)).status_code == 409
    await served.services.webhooks.deliveries.deliver(delivery_id)
    assert receiver.received[0].verified(body["secret"])["type"] == "webhook.test"
    (one,) = (await acme.get(f"{path}/deliveries")).json()["deliveries"]
    assert (one["delivery_id"], one["state"], one["tries"], one["status_code"]) == (delivery_id, "delivered", 1, 204)
    assert (await globex.post(again)).status_code == 404
    assert (await acme.post(again)).status_code == 202
    jobs = (await served.services.store.list(queue="webhooks", limit=9)).jobs
    assert len(jobs) == 2, "a job for each"
    assert (await acme.get("/api/jobs")).json()["jobs"] == [], "which the owner's list leaves out"


async def test_the_log_page_by_page(acme: httpx.AsyncClient, served: Served) -> None:
    path = f"/api/webhooks/{(await made(acme))['webhook_id']}"
    sent = [(await acme.post(f"{path}/test")).json()["delivery_id"] for _ in range(3)]
    first = (await acme.get(f"{path}/deliveries?limit=2")).json()
    rest = (await acme.get(f"{path}/deliveries?limit=2&before={first['next_before']}")).json()
    assert [one["delivery_id"] for one in first["deliveries"] + rest["deliveries"]] == sent[::-1]
    assert rest["next_before"] is None
    assert (await acme.get(f"{path}/deliveries?before=nothing")).status_code == 404


@pytest.mark.parametrize("way", ["single", "batch", "schedule"])
async def test_a_callback_tells_how_the_job_ended(
    acme: httpx.AsyncClient, served: Served, receiver: Receiver, way: str
) -> None:
    payload = {"dataset": "users", "format": "csv"}
    if way == "single":
        answer = await acme.post("/api/jobs/csv-export", json=payload | {"callback_url": receiver.url})
        job_id = answer.json()["job_id"]
    elif way == "batch":
        job = {"type": "csv-export", "payload": payload, "callback_url": receiver.url}
        answer = await acme.post("/api/jobs/batch", json={"jobs": [job]})
        job_id = answer.json()["jobs"][0]["job_id"]
    else:
        schedule = {"name": "n", "cron": "0 9 * * *", "job": "csv-export", "payload": payload}
        answer = await acme.post("/api/schedules", json=schedule | {"callback_url": receiver.url})
        assert answer.json()["callback_url"] == receiver.url
        job_id = (await acme.post(f"/api/schedules/{answer.json()['schedule_id']}/run")).json()["job_id"]
    detail = (await acme.get(f"/api/jobs/{job_id}")).json()
    assert detail["callback_url"] == receiver.url
    assert (await acme.post(f"/api/jobs/{job_id}/cancel")).status_code == 202

    async def recorded() -> Any:
        return await served.services.webhooks.rows.deliveries(limit=9)

    (row,) = await wait_until_async(recorded)
    await served.services.webhooks.deliveries.deliver(row.delivery_id)
    secret = (await acme.get("/api/webhooks/callback-secret")).json()["secret"]
    message: Any = receiver.received[0].verified(secret)
    assert message["type"] == "job.cancelled"
    assert message["data"] == (await acme.get(f"/api/jobs/{job_id}/status")).json()


@pytest.mark.parametrize("way", ["single", "batch", "schedule"])
async def test_a_callback_into_the_own_network_is_refused(acme: httpx.AsyncClient, way: str) -> None:
    payload = {"dataset": "users", "format": "csv"}
    wrong = {"callback_url": "http://169.254.169.254/latest"}
    if way == "single":
        body = (await acme.post("/api/jobs/csv-export", json=payload | wrong)).json()
    elif way == "batch":
        job = {"type": "csv-export", "payload": payload} | wrong
        body = (await acme.post("/api/jobs/batch", json={"jobs": [job]})).json()["jobs"][0]
    else:
        schedule = {"name": "n", "cron": "0 9 * * *", "job": "csv-export", "payload": payload}
        body = (await acme.post("/api/schedules", json=schedule | wrong)).json()
    assert body["status_code"] == 400 and body["errors"][0]["field"] == "callback_url"
    assert body["detail"] == "169.254.169.254 is a link-local address: webhooks go to public addresses only."


async def test_a_host_is_looked_up_once_for_many_requests(monkeypatch: pytest.MonkeyPatch) -> None:
    addresses, lookups = Addresses(), []

    async def lookup(host: str, port: int) -> list[str]:
        lookups.append(host)
        return ["8.8.8.8"]

    monkeypatch.setattr(addresses, "lookup", lookup)
    for _ in range(3):
        await addresses.check("https://hook.example.com/a")
    assert lookups == ["hook.example.com"]
