"""Tickets: one job, read only, for minutes."""

import time
from urllib.parse import quote

import httpx
import pytest

from tests.api.conftest import Served, _client
from tests.api.hands import Hands
from tests.api.test_jobs import queued


async def issued(client: httpx.AsyncClient, job_id: str) -> str:
    answer = await client.post(f"/api/jobs/{job_id}/ticket", json={"minutes": 5})
    assert answer.status_code == 201, answer.text
    return str(answer.json()["ticket"])


async def test_a_ticket_reads_status_and_files_of_its_job(
    acme: httpx.AsyncClient, anonymous: httpx.AsyncClient, hands: Hands
) -> None:
    job_id = await queued(acme)
    await hands.complete(await hands.take(), text_txt=b"seen")
    answer = (await acme.post(f"/api/jobs/{job_id}/ticket", json={"minutes": 5})).json()
    assert (await anonymous.get(answer["status_url"])).json()["status"] == "completed"
    assert answer["page_url"] == f"/j/{quote(answer['ticket'])}"
    requested = {"ticket": answer["ticket"]}
    assert (await anonymous.get(f"/api/jobs/{job_id}/files/text.txt", params=requested)).text == "seen"
    bearer = {"Authorization": f"Bearer {answer['ticket']}"}
    assert (await anonymous.get(f"/api/jobs/{job_id}/status", headers=bearer)).status_code == 200


async def test_a_ticket_without_a_body_holds_for_an_hour(acme: httpx.AsyncClient) -> None:
    job_id = await queued(acme)
    assert (await acme.post(f"/api/jobs/{job_id}/ticket")).status_code == 201
    assert (await acme.post(f"/api/jobs/{job_id}/ticket", json={})).status_code == 201


async def test_a_ticket_does_nothing_else(acme: httpx.AsyncClient, anonymous: httpx.AsyncClient) -> None:
    job_id, other = await queued(acme), await queued(acme)
    anonymous.headers["Authorization"] = f"Bearer {await issued(acme, job_id)}"
    for refused in (
        anonymous.get("/api/jobs"),
        anonymous.get(f"/api/jobs/{job_id}"),
        anonymous.post(f"/api/jobs/{job_id}/cancel"),
        anonymous.delete(f"/api/jobs/{job_id}"),
        anonymous.post(f"/api/jobs/{job_id}/ticket", json={}),
    ):
        answer = await refused
        assert answer.status_code == 403
        assert answer.json()["detail"] == "A ticket reads status, events and files of its own job, and no more."
    assert (await anonymous.get(f"/api/jobs/{other}/status")).status_code == 404
    assert (await acme.get(f"/api/jobs/{job_id}/status")).json()["status"] == "queued"


async def test_altered_and_expired_tickets(
    acme: httpx.AsyncClient, anonymous: httpx.AsyncClient, served: Served
) -> None:
    job_id = await queued(acme)
    ticket = await issued(acme, job_id)
    later = ticket.replace(ticket.split("~")[1], str(int(time.time()) + 10**6))
    for bad in (later, ticket[:-1] + ("A" if ticket[-1] != "A" else "B"), "ticket_", "ticket_~~~", "ticket_\ud83d"):
        answer = await anonymous.get(f"/api/jobs/{job_id}/status?ticket={quote(bad, errors='replace')}")
        assert (answer.status_code, answer.json()["detail"]) == (
            401, "This ticket is not valid: it was altered or made elsewhere.",
        )  # fmt: skip
    old = served.services.tickets.issue(job_id, int(time.time()) - 1)
    answer = await anonymous.get(f"/api/jobs/{job_id}/status", params={"ticket": old})
    assert (answer.status_code, answer.json()["detail"]) == (401, "This ticket has expired: ask for a new one.")


async def test_no_ticket_for_a_job_of_another_owner(acme: httpx.AsyncClient, globex: httpx.AsyncClient) -> None:
    job_id = await queued(acme)
    assert (await globex.post(f"/api/jobs/{job_id}/ticket", json={})).status_code == 404


async def test_a_link_to_one_file_opens_only_that(
    acme: httpx.AsyncClient, anonymous: httpx.AsyncClient, served: Served, hands: Hands
) -> None:
    job_id = await queued(acme)
    await hands.complete(await hands.take(), text_txt=b"seen", pages_json=b"[]")
    link = {"ticket": served.services.tickets.issue(job_id, int(time.time()) + 60, "text.txt")}
    assert (await anonymous.get(f"/api/jobs/{job_id}/files/text.txt", params=link)).status_code == 200
    for path in ("files/pages.json", "status"):
        assert (await anonymous.get(f"/api/jobs/{job_id}/{path}", params=link)).status_code == 403


@pytest.mark.parametrize("minutes", [0, -1, 1441, "5", 1.5])
async def test_bad_minutes(acme: httpx.AsyncClient, minutes: object) -> None:
    job_id = await queued(acme)
    answer = await acme.post(f"/api/jobs/{job_id}/ticket", json={"minutes": minutes})
    assert answer.status_code == 400
    assert answer.json()["errors"][0]["field"] == "minutes"


async def test_an_api_key_is_refused_in_an_address(acme: httpx.AsyncClient, served: Served) -> None:
    job_id = await queued(acme)
    async with _client(served) as client:
        answer = await client.get(f"/api/jobs/{job_id}/status", params={"ticket": "acme-secret-key-1"})
        assert answer.status_code == 401
        assert "never an API key" in answer.json()["detail"]
