"""Campaigns from the request to the report, with a real worker and real mail servers."""

from collections import Counter
from collections.abc import AsyncIterator
from typing import Any

import httpx
import pytest

from service.database import Database
from tests.api.conftest import Served, _client, acme, globex, nobody, served  # noqa: F401  # fixtures
from tests.mail.conftest import add_users, user
from tests.mail.servers import MailSink, serving
from tests.waiting import wait_until_async

WORDS = {
    "name": "news",
    "subject": "Hello {{ user.name }}",
    "html": "<style>p { color: red }</style><p>Hi {{ user.name }}</p><a href='{{ unsubscribe_url }}'>no more</a>",
    "text": "Hi {{ user.name }}\n.\n..dots\n{{ unsubscribe_url }}",
}


@pytest.fixture
async def sink() -> AsyncIterator[MailSink]:
    async with serving() as sink:
        yield sink


@pytest.fixture
def database(served: Served) -> Database:  # noqa: F811  # the fixture of that name
    return served.services.database


async def template(acme: httpx.AsyncClient, **changes: str) -> str:  # noqa: F811
    answer = await acme.post("/api/templates", json=WORDS | changes)
    assert answer.status_code == 201, answer.text
    template_id: str = answer.json()["template_id"]
    return template_id


async def batch(acme: httpx.AsyncClient, **body: Any) -> str:  # noqa: F811
    answer = await acme.post("/api/jobs/email-batch", json=body)
    assert answer.status_code == 202, answer.text
    job_id: str = answer.json()["job_id"]
    return job_id


async def ended(acme: httpx.AsyncClient, job_id: str, limit_s: float = 60) -> dict[str, Any]:  # noqa: F811
    async def status() -> dict[str, Any] | None:
        got: dict[str, Any] = (await acme.get(f"/api/jobs/{job_id}/status")).json()
        return got if got["status"] in ("completed", "failed", "cancelled") else None

    return await wait_until_async(status, limit_s)


async def report(acme: httpx.AsyncClient, job_id: str) -> dict[int, dict[str, Any]]:  # noqa: F811
    rows = (await acme.get(f"/api/jobs/{job_id}/files/report.json")).json()
    return {row["user_id"]: row for row in rows}


async def test_a_campaign_reaches_everybody_once(acme, database, sink, start_worker) -> None:  # noqa: F811
    await add_users(database, *(user(n) for n in range(1, 121)), user(121, active=False))
    start_worker(OFFLOAD_SMTP_URL=sink.url, OFFLOAD_QUEUES__EMAIL_SENDER__RATE_PER_MINUTE="0")
    job_id = await batch(acme, segment="active", template_id=await template(acme))
    status = await ended(acme, job_id)
    assert status["status"] == "completed", status
    assert sink.by_recipient == Counter({f"user{n}@example.com": 1 for n in range(1, 121)})
    assert status["data"]["sent"] == 120 and status["data"]["total_recipients"] == 120
    rows = await report(acme, job_id)
    assert {row["outcome"] for row in rows.values()} == {"sent"}
    assert (rows[7]["smtp_code"], rows[7]["smtp_text"]) == (250, "2.0.0 kept")
    caught = {one.recipient: one.message for one in sink.caught}
    message = caught["user7@example.com"]
    assert message["Message-ID"] == rows[7]["message_id"]
    assert message["Subject"] == "Hello Ada 7"
    assert message.get_body(("plain",)).get_content().splitlines()[:3] == ["Hi Ada 7", ".", "..dots"]
    assert '<p style="color: red;">Hi Ada 7</p>' in message.get_body(("html",)).get_content()
    assert sink.widest <= 5
