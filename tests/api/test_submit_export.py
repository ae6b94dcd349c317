"""POST /api/jobs/csv-export: what is queued, and every way to be refused."""

from typing import Any

import httpx
import pytest

from service.database.seed import seed
from tests.api.conftest import Served


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
