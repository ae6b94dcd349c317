"""/api/owner-alerts: bodies, refusals, and what the scripts count for it."""

from collections.abc import AsyncIterator

import httpx
import pytest

from service.engine.store.script_inputs import Outcome
from service.monitoring.audit_log import AuditFilter
from service.monitoring.owner_alerts import keys
from service.monitoring.owner_alerts.conditions import counted
from service.monitoring.owner_alerts.counters import EndCounters
from tests.api.conftest import Served
from tests.api.hands import Hands
from tests.api.world import picture

ADDRESS = "ada@example.com"
BODY = {"address": ADDRESS, "conditions": ["failed", "incomplete"]}


@pytest.fixture
def settings_env(settings_env: dict[str, str], monkeypatch: pytest.MonkeyPatch) -> dict[str, str]:
    """Nothing listens there: a confirmation waits."""
    monkeypatch.setenv("OFFLOAD_SMTP_URL", "smtp://127.0.0.1:9")
    return settings_env


@pytest.fixture
async def key(served: Served, acme: httpx.AsyncClient) -> AsyncIterator[httpx.AsyncClient]:
    """A key that may not read what is personal."""
    _, secret = await served.services.api_keys.create("acme", "k", created_by="t", scopes=["read", "submit"])
    async with httpx.AsyncClient(base_url=served.url, headers={"Authorization": f"Bearer {secret}"}) as client:
        yield client


async def test_an_address_is_registered_changed_and_deleted_and_each_is_in_the_audit_log(
    acme: httpx.AsyncClient, globex: httpx.AsyncClient, key: httpx.AsyncClient, served: Served
) -> None:
    made = await acme.put("/api/owner-alerts", json=BODY | {"address": " Ada@EXAMPLE.com "})
    body = made.json()
    assert made.status_code == 200 and body["address"] == "Ada@example.com" and body["state"] == "pending"
    assert (body["language"], body["every_minutes"], body["waiting_minutes"]) == ("en", 60, 30)
    changed = (await acme.put("/api/owner-alerts", json=BODY | {"language": "de", "every_minutes": 5})).json()
    assert changed["address_id"] == body["address_id"] and changed["language"] == "de"
    (listed,) = (await acme.get("/api/owner-alerts")).json()["addresses"]
    assert listed == changed
    assert (await globex.get("/api/owner-alerts")).json() == {"addresses": []}
    assert (await key.get("/api/owner-alerts")).status_code == 403
    again = await acme.post(f"/api/owner-alerts/{body['address_id']}/confirmation")
    assert (again.status_code, again.json()) == (202, {"address_id": body["address_id"]})
    assert (await acme.delete(f"/api/owner-alerts/{body['address_id']}")).status_code == 204
    assert (await acme.delete(f"/api/owner-alerts/{body['address_id']}")).status_code == 404
    lines = (await served.services.audit.page(AuditFilter())).events
    found = [(line.action, line.target_id) for line in lines if line.target_type == "alert-address"]
    actions = ("deleted", "asked", "changed", "registered")
    assert found == [(f"alert-address.{action}", body["address_id"]) for action in actions]
    assert ADDRESS not in repr([(line.detail, line.target_id) for line in lines])


async def test_bad_requests_are_named(acme: httpx.AsyncClient, served: Served) -> None:
    for wrong, field, words in (
        ({"address": "ada"}, "address", "Not a valid address: "),
        ({"conditions": []}, "conditions", "must not be empty"),
        ({"conditions": ["all"]}, "conditions[0]", "must be failed"),
        ({"language": "fr"}, "language", "en or de"),
        ({"every_minutes": 4}, "every_minutes", "5"),
        ({"waiting_minutes": 0}, "waiting_minutes", "1"),
        ({"more": 1}, "more", ""),
    ):
        answer = await acme.put("/api/owner-alerts", json=BODY | wrong)
        (error,) = answer.json()["errors"]
        assert answer.status_code == 400 and error["field"] == field and words in error["message"], answer.text


async def test_no_one_is_flooded_with_confirmations(
    acme: httpx.AsyncClient, globex: httpx.AsyncClient, served: Served
) -> None:
    for _ in range(2):
        made = (await acme.put("/api/owner-alerts", json=BODY)).json()
        await acme.delete(f"/api/owner-alerts/{made['address_id']}")
    assert (await globex.put("/api/owner-alerts", json=BODY)).status_code == 200
    refused = await acme.put("/api/owner-alerts", json=BODY | {"address": ADDRESS.upper()})
    assert refused.status_code == 429 and "3 confirmations a day" in refused.json()["detail"]
    assert int(refused.headers["retry-after"]) > 3_600
    assert (await acme.get("/api/owner-alerts")).json()["addresses"] == []


async def test_a_key_of_some_types_and_an_installation_without_mail_refuse(
    acme: httpx.AsyncClient, served: Served, monkeypatch: pytest.MonkeyPatch
) -> None:
    _, secret = await served.services.api_keys.create(
        "acme", "k", created_by="t", scopes=["submit"], job_types=["pdf-ocr"]
    )
    headers = {"Authorization": f"Bearer {secret}"}
    refused = await acme.put("/api/owner-alerts", json=BODY, headers=headers)
    assert refused.status_code == 403 and "alerts tell of every job" in refused.json()["detail"]
    monkeypatch.setattr(served.services.owner_alerts, "_can_send", False)
    missing = await acme.put("/api/owner-alerts", json=BODY)
    assert missing.status_code == 409 and "No mail server is configured" in missing.json()["detail"]


async def test_ends_are_counted_for_owners_with_a_confirmed_address_alone(
    acme: httpx.AsyncClient, globex: httpx.AsyncClient, served: Served, hands: Hands
) -> None:
    alerts, redis = served.services.owner_alerts, served.services.redis
    counters = EndCounters(redis, alerts.rows)
    file = (await acme.post("/api/files", files={"file": ("a.png", picture("red"))})).json()["file_id"]
    other = (await globex.post("/api/files", files={"file": ("a.png", picture("red"))})).json()["file_id"]

    async def end(client: httpx.AsyncClient, file_id: str, *tags: str) -> str:
        assert (await client.post("/api/jobs/pdf-ocr", json={"file_id": file_id})).is_success
        job = await hands.take()
        kind = "completed" if tags else "failed"
        outcome = Outcome(job.id, job.queue, job.fence, kind, find=[f"tag:{tag}" for tag in tags if tag])
        assert await served.services.store.settled([outcome]) == [kind]
        return job.id

    made = (await acme.put("/api/owner-alerts", json=BODY)).json()
    await end(acme, file)
    assert await redis.keys(f"{keys.ends('')}*") == [], "nothing is counted before the address is confirmed"
    await alerts.rows.confirm(made["address_id"], {})
    await counters.sync()
    failed = [await end(acme, file) for _ in range(12)]
    doubtful = await end(acme, file, "doubtful", "incomplete")
    await end(acme, file, "")
    await end(globex, other)
    ends, whole = await counters.of("acme")
    assert whole and counted(ends) == {"": {"failed": 12, "incomplete": 1}}
    assert {value for name, value in ends[""].items() if name.startswith("failed:")} == set(failed[-10:])
    assert ends[""]["incomplete:1"] == doubtful
    assert await redis.exists(keys.ends("globex")) == 0
    await acme.delete(f"/api/owner-alerts/{made['address_id']}")
    assert await redis.exists(keys.OWNERS, keys.ends("acme")) == 0
