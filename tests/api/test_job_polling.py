"""Polling a job's status: ETag and long polls."""

import asyncio

import httpx

from tests.api.hands import Hands
from tests.api.test_jobs import queued


async def test_an_unchanged_status_is_a_304(acme: httpx.AsyncClient, hands: Hands) -> None:
    job_id = await queued(acme)
    first = await acme.get(f"/api/jobs/{job_id}/status")
    same = await acme.get(f"/api/jobs/{job_id}/status", headers={"If-None-Match": first.headers["etag"]})
    assert (same.status_code, same.content) == (304, b"")
    await hands.take()
    changed = await acme.get(f"/api/jobs/{job_id}/status", headers={"If-None-Match": first.headers["etag"]})
    assert changed.json()["status"] == "active"


async def test_a_long_poll_answers_at_the_next_change(acme: httpx.AsyncClient, hands: Hands) -> None:
    job_id = await queued(acme)
    seen = (await acme.get(f"/api/jobs/{job_id}/status")).headers["etag"]
    waiting = asyncio.ensure_future(_changed(acme, job_id, seen))
    job = await hands.take()
    changed = await waiting
    assert changed.json()["status"] == "active"
    waiting = asyncio.ensure_future(_changed(acme, job_id, changed.headers["etag"]))
    await hands.complete(job)
    assert (await waiting).json()["status"] == "completed"


async def _changed(client: httpx.AsyncClient, job_id: str, etag: str) -> httpx.Response:
    return await client.get(f"/api/jobs/{job_id}/status?wait=60", headers={"If-None-Match": etag}, timeout=90)


async def test_a_long_poll_of_an_ended_job_answers_immediately(acme: httpx.AsyncClient) -> None:
    job_id = await queued(acme)
    await acme.post(f"/api/jobs/{job_id}/cancel")
    assert (await acme.get(f"/api/jobs/{job_id}/status?wait=60", timeout=20)).json()["status"] == "cancelled"


async def test_a_long_poll_without_a_change_ends(acme: httpx.AsyncClient) -> None:
    job_id = await queued(acme)
    first = await acme.get(f"/api/jobs/{job_id}/status")
    headers = {"If-None-Match": first.headers["etag"]}
    assert (await acme.get(f"/api/jobs/{job_id}/status?wait=1", headers=headers)).status_code == 304
    assert (await acme.get(f"/api/jobs/{job_id}/status?wait=1")).json()["status"] == "queued"


async def test_bad_waits(acme: httpx.AsyncClient) -> None:
    job_id = await queued(acme)
    for wait in ("-1", "61", "soon"):
        answer = await acme.get(f"/api/jobs/{job_id}/status?wait={wait}")
        assert (answer.status_code, answer.json()["errors"][0]["field"]) == (400, "wait")
