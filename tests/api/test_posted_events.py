"""POST /api/jobs/{id}/events/{name}."""

import httpx
import pytest

from service.engine.states import State
from tests.api.conftest import Served

EXPORT = {"dataset": "users", "format": "csv"}


async def queued(client: httpx.AsyncClient) -> str:
    job_id: str = (await client.post("/api/jobs/csv-export", json=EXPORT)).json()["job_id"]
    return job_id


async def test_an_event_is_kept_for_the_job_once(acme: httpx.AsyncClient, served: Served) -> None:
    job_id = await queued(acme)
    address = f"/api/jobs/{job_id}/events/approved"
    first = await acme.post(address, json={"b": 1, "a": [True, None]})
    assert (first.status_code, first.json()["id"]) == (202, job_id)
    assert (await acme.post(address, content=b'{ "a": [true, null], "b": 1 }')).status_code == 202, "the same again"
    other = await acme.post(address, json={"a": 2})
    assert (other.status_code, other.json()["detail"]) == (
        409,
        f"Job {job_id} has had another event approved: the first one stands.",
    )
    assert (await acme.post(f"/api/jobs/{job_id}/events/nothing")).status_code == 202, "an empty body is null"
    detail = (await acme.get(f"/api/jobs/{job_id}")).json()
    assert detail["waiting_for"] is None
    await served.services.store.cancel(job_id)
    ended = await acme.post(f"/api/jobs/{job_id}/events/late", json=1)
    assert (ended.status_code, "no event reaches it" in ended.json()["detail"]) == (409, True)
    assert (await served.services.store.present(job_id)).state is State.CANCELLED


@pytest.mark.parametrize(
    ("path", "body", "status_code"),
    [
        ("events/approved", b"{", 400),
        ("events/approved", b'"\\u0000"', 400),
        ("events/no%20name", b"1", 400),
        ("events/9", b"1", 400),
        ("events/approved", b'"' + b"x" * 70_000 + b'"', 413),
    ],
)
async def test_what_makes_no_sense_is_refused(
    acme: httpx.AsyncClient, path: str, body: bytes, status_code: int
) -> None:
    job_id = await queued(acme)
    answer = await acme.post(f"/api/jobs/{job_id}/{path}", content=body)
    assert answer.status_code == status_code and answer.json()["detail"]


async def test_another_owner_s_job_is_not_there(acme: httpx.AsyncClient, globex: httpx.AsyncClient) -> None:
    job_id = await queued(acme)
    assert (await globex.post(f"/api/jobs/{job_id}/events/approved", json=1)).status_code == 404
    assert (await acme.post("/api/jobs/csv-export-none/events/approved", json=1)).status_code == 404
