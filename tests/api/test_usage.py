"""An owner's use and its limits."""

import httpx
import pytest

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
