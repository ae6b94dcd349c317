"""Rights of API keys that are rows: scopes, job types, expiry and revocation."""

from datetime import timedelta

import httpx
import pytest
from websockets.exceptions import InvalidStatus

from service.database.column_types import utc_now
from tests.api.conftest import Served, _client
from tests.api.test_job_events import follow
from tests.api.test_jobs import queued
from tests.waiting import wait_until_async

EXPORT = {"dataset": "users", "format": "csv"}


async def keyed(served: Served, **rights: object) -> httpx.AsyncClient:
    _, secret = await served.services.api_keys.create("acme", "a test", created_by="a test", **rights)  # type: ignore[arg-type]  # rights of any kind
    return _client(served, f"Bearer {secret}")


async def test_a_key_of_the_table_belongs_to_its_owner(acme: httpx.AsyncClient, served: Served) -> None:
    job_id = await queued(acme)
    async with await keyed(served) as client:
        assert (await client.get(f"/api/jobs/{job_id}/status")).status_code == 200
        assert (await client.post(f"/api/jobs/{job_id}/cancel")).status_code == 202


@pytest.mark.parametrize(("scope", "allowed"), [("read", {"read"}), ("submit", {"submit"}), ("operate", {"operate"})])
async def test_each_scope_allows_its_own(
    acme: httpx.AsyncClient, served: Served, scope: str, allowed: set[str]
) -> None:
    job_id = await queued(acme)
    async with await keyed(served, scopes=[scope]) as client:
        answers = {
            "read": await client.get(f"/api/jobs/{job_id}"),
            "submit": await client.post("/api/jobs/csv-export", json=EXPORT),
            "operate": await client.post(f"/api/jobs/{job_id}/cancel"),
        }
    assert {name for name, answer in answers.items() if answer.is_success} == allowed
    for name in answers.keys() - allowed:
        assert answers[name].status_code == 403
        assert answers[name].json()["detail"] == f"This API key may not do that: it lacks the scope {name}."


async def test_a_key_for_one_job_type(acme: httpx.AsyncClient, served: Served) -> None:
    job_id = await queued(acme)
    async with await keyed(served, job_types=["csv-export"]) as client:
        assert (await client.post("/api/jobs/csv-export", json=EXPORT)).status_code == 202
        refused = await client.post("/api/jobs/pdf-ocr", json={"file_id": "x"})
        assert (refused.status_code, refused.json()["detail"]) == (
            403, "This API key may not queue pdf-ocr: csv-export only.",
        )  # fmt: skip
        assert (await client.get(f"/api/jobs/{job_id}/status")).status_code == 404


@pytest.mark.both_databases
async def test_revoked_and_expired_keys_are_refused_within_a_second(served: Served) -> None:
    keys = served.services.api_keys
    key, secret = await keys.create("acme", "a test", created_by="a test")
    async with _client(served, f"Bearer {secret}") as client:
        assert (await client.get("/api/jobs")).status_code == 200
        await type(keys)(keys.database).revoke(key.key_id)  # by another process
        await wait_until_async(lambda: _status(client, 401))
    soon = utc_now() + timedelta(seconds=0.2)
    async with await keyed(served, expires_at=soon) as client:
        await wait_until_async(lambda: _status(client, 401))


async def _status(client: httpx.AsyncClient, wanted: int) -> bool:
    return (await client.get("/api/jobs")).status_code == wanted


async def test_wrong_keys_are_no_longer_looked_at_after_twenty(
    acme: httpx.AsyncClient, anonymous: httpx.AsyncClient, served: Served
) -> None:
    assert (await acme.get("/api/jobs")).status_code == 200
    limit = served.services.settings.failed_credentials_per_minute
    answers = [
        await anonymous.get("/api/jobs", headers={"Authorization": f"Bearer guess-{number}"})
        for number in range(limit + 1)
    ]
    assert [answer.status_code for answer in answers] == [401] * limit + [429]
    assert 1 <= int(answers[-1].headers["retry-after"]) <= 60
    assert answers[-1].json()["detail"].startswith("Too many failed attempts: try again in ")
    with pytest.raises(InvalidStatus) as closed:
        async with follow(served, "some-job", key="guess-again"):
            pass
    assert closed.value.response.status_code == 403
    # A client with a valid key behind the same address goes on.
    assert (await acme.get("/api/jobs")).status_code == 200
    await served.services.failed_attempts.close()
    metrics = (await acme.get("/metrics")).text
    assert f'offload_refused_credentials_total{{kind="api-key",outcome="refused"}} {limit:.1f}' in metrics
