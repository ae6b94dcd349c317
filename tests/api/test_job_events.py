"""WebSocket and server-sent events of one job."""

import asyncio
import json
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import httpx
import pytest
from websockets.asyncio.client import ClientConnection, connect
from websockets.exceptions import ConnectionClosed, InvalidStatus

from service.engine.redis.client import MAX_CONNECTIONS
from tests.api.conftest import ACME, GLOBEX, Served, _client
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


async def ticket_for(client: httpx.AsyncClient, job_id: str) -> str:
    answer = await client.post(f"/api/jobs/{job_id}/ticket", json={"minutes": 5})
    assert answer.status_code == 201
    return str(answer.json()["ticket"])


@pytest.mark.parametrize("parameter", ["ticket", "token"])
async def test_a_browser_sends_a_ticket_in_the_address(acme: httpx.AsyncClient, served: Served, parameter: str) -> None:
    job_id = await queued(acme)
    ticket = await ticket_for(acme, job_id)
    async with follow(served, job_id, key=None, query=f"?{parameter}={ticket}") as socket:
        assert (await received(socket))["id"] == job_id


@pytest.mark.parametrize(
    ("key", "query"), [(None, ""), ("wrong-key-here", ""), (None, "?token=wrong-key-here"), (None, f"?token={ACME}")]
)
async def test_no_key_no_handshake(served: Served, key: str | None, query: str) -> None:
    with pytest.raises(InvalidStatus) as refused:
        async with follow(served, "whatever", key, query):
            pass
    assert refused.value.response.status_code == 403


async def test_a_revoked_key_ends_its_open_socket_and_stream(acme: httpx.AsyncClient, served: Served) -> None:
    job_id = await queued(acme)
    key, secret = await served.services.api_keys.create("acme", "a page", created_by="a test", scopes=["read"])
    async with follow(served, job_id, secret) as socket, _client(served, f"Bearer {secret}") as client:
        await received(socket)
        async with client.stream("GET", f"/api/jobs/{job_id}/events") as stream:
            lines = stream.aiter_lines()
            assert await anext(lines) == "retry: 1000"
            await served.services.api_keys.revoke(key.key_id)
            with pytest.raises(ConnectionClosed):
                await received(socket)
            assert socket.close_code == 4401
            assert "event: expired" in [line async for line in lines]


async def test_server_sent_events_carry_each_status_and_end(
    acme: httpx.AsyncClient, served: Served, hands: Hands
) -> None:
    job_id = await queued(acme)
    async with acme.stream("GET", f"/api/jobs/{job_id}/events", headers={"Accept": "text/event-stream"}) as stream:
        assert stream.headers["content-type"].startswith("text/event-stream")
        events = server_sent(stream)
        assert (await anext(events))[1]["status"] == "queued"
        job = await hands.take()
        assert (await anext(events))[1]["status"] == "active"
        await hands.complete(job)
        last_id, status = await anext(events)
        assert status["status"] == "completed"
        assert [event async for event in events] == []
    again = await acme.get(f"/api/jobs/{job_id}/events", headers={"Last-Event-ID": last_id})
    assert again.status_code == 204


async def test_a_stream_that_is_resumed_sends_only_what_is_new(
    acme: httpx.AsyncClient, served: Served, hands: Hands
) -> None:
    job_id = await queued(acme)
    async with acme.stream("GET", f"/api/jobs/{job_id}/events") as stream:
        seen, _ = await anext(server_sent(stream))
    async with acme.stream("GET", f"/api/jobs/{job_id}/events", headers={"Last-Event-ID": seen}) as stream:
        events = server_sent(stream)
        first = asyncio.ensure_future(anext(events))
        job = await hands.take()
        assert (await first)[1]["status"] == "active"
        await hands.complete(job)
    await wait_until_async(lambda: not served.services.store.watchers.waiting)


async def test_events_are_no_json(acme: httpx.AsyncClient) -> None:
    job_id = await queued(acme)
    answer = await acme.get(f"/api/jobs/{job_id}/events", headers={"Accept": "application/json"})
    assert answer.status_code == 406
    assert "text/event-stream" in answer.json()["detail"]


async def server_sent(stream: httpx.Response) -> AsyncIterator[tuple[str, dict[str, Any]]]:
    """Id and status of each event of a stream."""
    number = ""
    async for line in stream.aiter_lines():
        if line.startswith("id: "):
            number = line[4:]
        elif line.startswith("data: "):
            yield number, json.loads(line[6:])


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


async def test_sockets_that_have_closed_leave_nothing_open(acme: httpx.AsyncClient, served: Served) -> None:
    job_id = await queued(acme)

    def open_files() -> int:
        return len(list(Path("/proc/self/fd").iterdir()))

    async def come_and_go() -> None:
        sockets = await asyncio.gather(*(follow(served, job_id) for _ in range(60)))
        await asyncio.gather(*(received(socket) for socket in sockets))
        await asyncio.gather(*(socket.close() for socket in sockets))

    before = open_files()
    await come_and_go()
    await come_and_go()
    # Connections to Redis that the pool has made stay: they serve the next ones.
    await wait_until_async(lambda: open_files() <= before + MAX_CONNECTIONS)
