"""Requests that are abandoned take no turn in the inspection child, and owners take turns there."""

import asyncio
import time

import httpx
import pytest

from tests.api.conftest import Served
from tests.waiting import wait_until_async

pytestmark = pytest.mark.parametrize("database_kind", ["sqlite"], indirect=True)

TEMPLATE = {"name": "a", "subject": "s", "html": "h", "text": "t"}


async def test_what_a_client_abandons_is_never_begun(acme: httpx.AsyncClient, served: Served) -> None:
    pool = served.services.pool
    busy = asyncio.create_task(pool.run(time.sleep, 3600))
    waiting = [asyncio.create_task(acme.post("/api/templates", json=TEMPLATE)) for _ in range(4)]
    queue = pool._turns._waiting
    await wait_until_async(lambda: len(queue.get("acme", ())) == 4)
    for request in waiting:
        request.cancel()
    await asyncio.wait(waiting)
    await wait_until_async(lambda: "acme" not in queue)
    busy.cancel()
    await asyncio.wait([busy])
    assert (await acme.post("/api/templates", json=TEMPLATE)).status_code == 201
    assert len((await acme.get("/api/templates")).json()["templates"]) == 1


async def test_another_owner_is_next(
    acme: httpx.AsyncClient, globex: httpx.AsyncClient, served: Served, monkeypatch: pytest.MonkeyPatch
) -> None:
    pool, order = served.services.pool, []
    turns = pool._turns
    taken = turns._take

    def take(whose: str) -> None:
        order.append(whose)
        taken(whose)

    busy = asyncio.create_task(pool.run(time.sleep, 3600))
    mine = [asyncio.create_task(acme.post("/api/templates", json=TEMPLATE)) for _ in range(6)]
    await wait_until_async(lambda: len(turns._waiting.get("acme", ())) == 6)
    theirs = asyncio.create_task(globex.post("/api/templates", json=TEMPLATE))
    await wait_until_async(lambda: "globex" in turns._waiting)
    monkeypatch.setattr(turns, "_take", take)
    busy.cancel()
    assert {answer.status_code for answer in await asyncio.gather(*mine, theirs)} == {201}
    assert order == ["acme", "globex", *["acme"] * 5]
