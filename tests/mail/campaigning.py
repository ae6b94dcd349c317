"""A client that runs campaigns and reads what came of them."""

from typing import Any

import httpx

from tests.waiting import wait_until_async

WORDS = {
    "name": "news",
    "subject": "Hello {{ user.name }}",
    "html": "<style>p { color: red }</style><p>Hi {{ user.name }}</p><a href='{{ unsubscribe_url }}'>no more</a>",
    "text": "Hi {{ user.name }}\n.\n..dots\n{{ unsubscribe_url }}",
}


async def make_template(client: httpx.AsyncClient, **changes: str) -> str:
    answer = await client.post("/api/templates", json=WORDS | changes)
    assert answer.status_code == 201, answer.text
    template_id: str = answer.json()["template_id"]
    return template_id


async def submit(client: httpx.AsyncClient, job_type: str = "email-batch", **body: Any) -> str:
    answer = await client.post(f"/api/jobs/{job_type}", json=body)
    assert answer.status_code == 202, answer.text
    job_id: str = answer.json()["job_id"]
    return job_id


async def status_of(client: httpx.AsyncClient, job_id: str) -> dict[str, Any]:
    answer: dict[str, Any] = (await client.get(f"/api/jobs/{job_id}/status")).json()
    return answer


async def ended(client: httpx.AsyncClient, job_id: str, limit_s: float = 60) -> dict[str, Any]:
    """The status once it is terminal."""

    async def terminal() -> dict[str, Any] | None:
        status = await status_of(client, job_id)
        return status if status["status"] in ("completed", "failed", "cancelled") else None

    return await wait_until_async(terminal, limit_s)


async def report_of(client: httpx.AsyncClient, job_id: str) -> dict[int, dict[str, Any]]:
    """report.json by user id."""
    rows = (await client.get(f"/api/jobs/{job_id}/files/report.json")).json()
    assert len({row["user_id"] for row in rows}) == len(rows)
    return {row["user_id"]: row for row in rows}
