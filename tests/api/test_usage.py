"""An owner's use and its limits."""

import httpx
import pytest

from service.database import UsageEntry
from service.database.column_types import utc_now
from service.database.usage import month_name
from tests.api.conftest import Served
from tests.api.hands import Hands
from tests.ocr.documents import text_pdf

pytestmark = pytest.mark.both_databases


async def test_use_is_counted_for_its_owner_alone(
    acme: httpx.AsyncClient, globex: httpx.AsyncClient, served: Served, hands: Hands
) -> None:
    content, _ = text_pdf(pages=2)
    file = (await acme.post("/api/files", files={"file": content})).json()
    await acme.post("/api/jobs/pdf-ocr", json={"file_id": file["file_id"]})
    export = {"dataset": "users", "format": "csv"}
    await acme.post("/api/jobs/csv-export", json=export | {"schedule_at": "2099-01-01T00:00:00Z"})
    await hands.take()
    schedule = {"name": "daily", "cron": "0 9 * * *", "job": "csv-export", "payload": export}
    assert (await acme.post("/api/schedules", json=schedule)).status_code == 201
    found = (await acme.get("/api/usage")).json()
    limit = min(queue.owner_limit for queue in served.services.settings.queues.values())
    assert found["owner"] == "acme"
    assert found["jobs_waiting"] == {"used": 1, "limit": limit}
    assert found["jobs_running"] == {"used": 1, "limit": None}
    assert found["documents"]["used"] == 1 and found["stored_bytes"]["used"] == file["bytes"]
    assert found["pages_uploaded"]["used"] == 2 and found["schedules"]["used"] == 1
    assert found["file_bytes_max"] == served.services.settings.max_upload_bytes
    other = (await globex.get("/api/usage")).json()
    names = ("jobs_waiting", "jobs_running", "documents", "stored_bytes", "pages_uploaded", "schedules", "webhooks")
    assert [other[name]["used"] for name in names] == [0] * 7


async def test_use_is_listed_by_month_as_json_and_csv(
    acme: httpx.AsyncClient, globex: httpx.AsyncClient, served: Served, hands: Hands
) -> None:
    content, _ = text_pdf(pages=2)
    await acme.post("/api/files", files={"file": content})
    month = month_name(utc_now())
    async with served.services.database.writing() as session:
        session.add(UsageEntry(owner="acme", month="2020-02", field="cpu_ms", amount=1500))
        session.add(UsageEntry(owner="globex", month=month, field="mails", amount=3))
    found = (await acme.get("/api/usage/months")).json()
    (present,) = found["months"]
    assert found["owner"] == "acme" and (present["month"], present["pages_uploaded"]) == (month, 2)
    (old,) = (await acme.get("/api/usage/months?month=2020-02")).json()["months"]
    assert (old["cpu_seconds"], old["jobs"]) == (1.5, 0)
    answer = await acme.get("/api/usage/months.csv?month=2020-02")
    assert answer.headers["content-type"] == "text/csv; charset=utf-8"
    head, line = answer.text.splitlines()
    assert dict(zip(head.split(","), line.split(","), strict=True)) == old | {"owner": "acme"} | {
        name: str(value) for name, value in old.items()
    }
    assert (await globex.get("/api/usage/months")).json()["months"][0]["mails"] == 3
    assert (await acme.get("/api/usage/months?month=1999-01")).status_code == 400


@pytest.mark.parametrize("month", ["2026-13", "November", "2026-1", "2026-11-01", "9999-12", "20\u0662\u0666-11"])
async def test_what_is_not_a_month_is_refused_by_name(acme: httpx.AsyncClient, month: str) -> None:
    for path in ("/api/usage/months", "/api/usage/months.csv"):
        answer = await acme.get(path, params={"month": month})
        assert answer.status_code == 400 and answer.json()["errors"][0]["field"] == "month"
        assert "write it as 2026-11" in answer.json()["detail"]
