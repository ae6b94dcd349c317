"""`GET /api/jobs?q=`: the language of the dashboard, over a caller's own jobs."""

import httpx
import pytest

from service.engine.store import listing
from tests.api.hands import Hands
from tests.api.test_jobs import queued


async def ids(client: httpx.AsyncClient, q: str, **params: str) -> list[str]:
    answer = await client.get("/api/jobs", params={"q": q} | params)
    assert answer.status_code == 200, answer.text
    return [job["id"] for job in answer.json()["jobs"]]


async def test_a_query_finds_the_callers_own_jobs(
    acme: httpx.AsyncClient, globex: httpx.AsyncClient, hands: Hands
) -> None:
    first, second = await queued(acme), await queued(acme)
    await hands.fail(await hands.take(), "The disk is FULL")
    assert await ids(acme, 'state:failed error:"disk is full" created:>1h') == [first]
    assert await ids(acme, "-state:failed", status="queued") == [second]
    assert await ids(acme, "state:failed,queued queue:pdf-processing") == [second, first]
    assert await ids(acme, "file:no-such-name") == []
    file_id = (await acme.get(f"/api/jobs/{first}")).json()["payload"]["file_id"]
    name = (await acme.get(f"/api/files/{file_id}")).json()["name"]
    assert first in await ids(acme, f'file:"{name}"') and await ids(acme, file_id) == await ids(
        acme, f"file_id:{file_id}"
    )
    for nothing in ("state:failed,queued", "owner:acme", f"file_id:{file_id}", f'file:"{name}"'):
        assert await ids(globex, nothing) == [], nothing


@pytest.mark.parametrize(
    ("q", "sentence"),
    [
        ("stat:failed", "There is no key stat: do you mean state?"),
        ("queue:csv-exprt", "There is no queue csv-exprt: do you mean csv-export?"),
        ("full", 'full has no key: write state:failed, error:"full" or file:"full", for example.'),
    ],
)
async def test_a_mistake_is_one_sentence(acme: httpx.AsyncClient, q: str, sentence: str) -> None:
    answer = await acme.get("/api/jobs", params={"q": q})
    assert (answer.status_code, answer.json()["errors"]) == (400, [{"field": "q", "message": sentence}])


async def test_a_page_that_could_not_look_at_all_says_so(
    acme: httpx.AsyncClient, hands: Hands, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(listing, "EXAMINED_MAX", 3)
    made = [await queued(acme) for _ in range(5)]
    first = (await acme.get("/api/jobs", params={"q": "error:nothing", "limit": 1})).json()
    assert (first["jobs"], first["note"]) == (
        [], "Looked at the newest 3 of 5 jobs that may fit; go on with the cursor.",
    )  # fmt: skip
    rest = {"q": "error:nothing", "limit": 1, "cursor": first["next_cursor"]}
    last = (await acme.get("/api/jobs", params=rest)).json()
    assert last == {"jobs": [], "next_cursor": None} and len(made) == 5
