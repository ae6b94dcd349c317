"""POST /api/jobs/csv-export: what is queued, and every way to be refused."""

import asyncio
from contextvars import ContextVar, copy_context
from typing import Any

import httpx
import pytest

from service.database.seed import seed
from tests.api.conftest import ACME, Served

SHARED = ("Shared._run", "Audit._write_later")
"""Tasks that many requests share: readings that are taken again for some seconds, and lines of the audit log."""


async def submit(client: httpx.AsyncClient, **body: Any) -> httpx.Response:
    return await client.post("/api/jobs/csv-export", json=body)


@pytest.mark.both_databases
async def test_an_export_is_queued_with_its_rows_as_its_units(acme: httpx.AsyncClient, served: Served) -> None:
    await seed(served.services.database, users=30, events=100)
    for dataset, rows in (("events", 50), ("users", 30), ("jobs", 2), ("metrics", 0)):
        answer = await submit(acme, dataset=dataset, query_params={}, format="csv", priority="low")
        assert answer.status_code == 202, answer.text
        body = answer.json()
        assert body["status"] == "queued" and body["job_id"].startswith("csv-export-")
        job = await served.services.store.get(body["job_id"])
        assert job is not None and (job.queue, job.units, job.priority) == ("csv-export", rows, "low")


@pytest.mark.parametrize(
    ("body", "field", "words"),
    [
        ({"dataset": "nothing"}, "dataset", "deliveries, documents, events, jobs, metrics"),
        ({"dataset": "events", "query_params": {"colour": 1}}, "query_params.colour", "created_at, actor, role"),
        ({"dataset": "events", "columns": ["password"]}, "columns", "event_id, created_at, owner"),
        ({"dataset": "events", "query_params": {"created_at": {"from": 3}}}, "query_params.created_at", "a day"),
        ({"dataset": "events", "format": "pdf"}, "format", "csv"),
        ({"dataset": "events", "colour": "red"}, "colour", "colour"),
        ({"dataset": 3}, "dataset", "text"),
        ({}, "dataset", "dataset"),
    ],
)
async def test_what_cannot_be_exported_is_a_400_that_names_it(
    acme: httpx.AsyncClient, body: dict[str, Any], field: str, words: str
) -> None:
    answer = await submit(acme, **body)
    assert answer.status_code == 400
    (error,) = answer.json()["errors"]
    assert error["field"] == field and words in error["message"]


async def test_a_request_for_an_export_takes_no_thread_and_starts_no_task(
    served: Served, acme: httpx.AsyncClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Each would cost it a tenth of what it takes, and the thread its turn among all others of the process."""
    body = b'{"dataset": "users"}'
    loop = asyncio.get_running_loop()
    of_request: ContextVar[bool] = ContextVar("of_request", default=False)
    started: list[str] = []
    run_in_executor = loop.run_in_executor

    def in_thread(executor: Any, function: Any, *args: Any) -> Any:
        if of_request.get():
            started.append(f"a thread for {function}")
        return run_in_executor(executor, function, *args)

    def task(loop: asyncio.AbstractEventLoop, work: Any, **options: Any) -> asyncio.Task[Any]:
        if of_request.get() and work.__qualname__ in SHARED:
            options["context"] = copy_context()
            options["context"].run(of_request.set, False)
        elif of_request.get():
            started.append(f"a task for {work.__qualname__}")
        return asyncio.Task(work, loop=loop, **options)

    async def ask() -> int:
        messages = [{"type": "http.request", "body": body, "more_body": False}]
        sent: list[Any] = []

        async def receive() -> Any:
            return messages.pop() if messages else await asyncio.Event().wait()

        async def send(message: Any) -> None:
            sent.append(message)

        scope = {
            **{"type": "http", "asgi": {"version": "3.0"}, "http_version": "1.1", "method": "POST", "scheme": "http"},
            **{
                "path": "/api/jobs/csv-export",
                "raw_path": b"/api/jobs/csv-export",
                "query_string": b"",
                "root_path": "",
            },
            "headers": [(b"authorization", f"Bearer {ACME}".encode()), (b"content-type", b"application/json")],
            **{"client": ("127.0.0.1", 1), "server": ("127.0.0.1", 80), "extensions": {}},
        }
        await served.app(scope, receive, send)  # type: ignore[arg-type]  # made by hand, as a server makes it
        return int(sent[0]["status"])

    # The first one has what is shared for a while read: pace, backlog, limits and the count of the rows.
    assert (await acme.post("/api/jobs/csv-export", content=body)).status_code == 202
    monkeypatch.setattr(loop, "run_in_executor", in_thread)
    loop.set_task_factory(task)
    of_request.set(True)
    try:
        assert await ask() == 202
    finally:
        loop.set_task_factory(None)
    assert started == []
