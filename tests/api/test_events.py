"""The WebSocket that follows one job."""

import asyncio
import json
from typing import Any

import httpx
import pytest
from websockets.asyncio.client import ClientConnection, connect
from websockets.exceptions import ConnectionClosed, InvalidStatus

from tests.api.conftest import ACME, GLOBEX, Served
from tests.api.hands import Hands
from tests.api.test_jobs import queued
from tests.waiting import wait_until_async


def follow(served: Served, job_id: str, key: str | None = ACME, query: str = "") -> connect:
    headers = {"Authorization": f"Bearer {key}"} if key else {}
    url = f"{served.url.replace('http', 'ws')}/api/jobs/{job_id}/events{query}"
    return connect(url, additional_headers=headers, proxy=None)


async def received(socket: ClientConnection) -> dict[str, Any]:
    status: dict[str, Any] = json.loads(await asyncio.wait_for(socket.recv(), 30))
    return status


async def test_the_status_at_once_at_every_change_and_a_clean_end(
    acme: httpx.AsyncClient, served: Served, hands: Hands
) -> None:
    job_id = await queued(acme)
    async with follow(served, job_id) as socket:
        first = await received(socket)
        assert first == (await acme.get(f"/api/jobs/{job_id}/status")).json() | {
            "estimated_completion": first["estimated_completion"]
        }
        job = await hands.take()
        assert (await received(socket))["status"] == "active"
        await hands.progress(job, 40, "Processing page 1 of 2 (50%)", pages_processed=1, total_pages=2)
        assert (await received(socket))["progress"] == 40
        await hands.complete(job)
        assert (await received(socket))["status"] == "completed"
        with pytest.raises(ConnectionClosed):
            await received(socket)
        assert socket.close_code == 1000


async def test_an_ended_job_is_told_and_closed_at_once(acme: httpx.AsyncClient, served: Served) -> None:
    job_id = await queued(acme)
    await acme.post(f"/api/jobs/{job_id}/cancel")
    async with follow(served, job_id) as socket:
        assert [json.loads(message)["status"] async for message in socket] == ["cancelled"]
        assert socket.close_code == 1000


async def test_a_browser_gives_its_key_in_the_address(acme: httpx.AsyncClient, served: Served) -> None:
    job_id = await queued(acme)
    async with follow(served, job_id, key=None, query=f"?token={ACME}") as socket:
        assert (await received(socket))["id"] == job_id


@pytest.mark.parametrize(("key", "query"), [(None, ""), ("wrong-key-here", ""), (None, "?token=wrong-key-here")])
async def test_no_key_no_handshake(served: Served, key: str | None, query: str) -> None:
    with pytest.raises(InvalidStatus) as refused:
        async with follow(served, "whatever", key, query):
            pass
    assert refused.value.response.status_code == 403


async def test_another_owners_job_is_unknown(acme: httpx.AsyncClient, served: Served) -> None:
    job_id = await queued(acme)
    for unknown, key in ((job_id, GLOBEX), ("no-such-job", ACME)):
        async with follow(served, unknown, key) as socket:
            with pytest.raises(ConnectionClosed):
                await received(socket)
            assert socket.close_code == 4404


async def test_whoever_hangs_up_is_no_longer_served(acme: httpx.AsyncClient, served: Served) -> None:
    job_id = await queued(acme)
    sockets = [await follow(served, job_id) for _ in range(20)]
    for socket in sockets:
        await received(socket)
        await socket.send("what a client says is ignored")
    watchers = served.services.store.watchers
    assert [len(events) for events in watchers.waiting.values()] == [20]
    for socket in sockets:
        await socket.close()
    await wait_until_async(lambda: not watchers.waiting)
