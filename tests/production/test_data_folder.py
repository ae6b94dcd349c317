"""The disk under the data folder is full: one sentence to each caller, nothing half-written, and work goes on with room."""

import asyncio
import base64
from collections.abc import Callable
from pathlib import Path

from service.supervisor.valkey import EmbeddedValkey
from tests.production.harness import Installation, fill
from tests.waiting import wait_until_async

PICTURE = base64.b64decode(
    "iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNk+M9QDwADhgGAWjR9awAAAABJRU5ErkJggg=="
)
JOBS = 20


def stored(folder: Path) -> list[str]:
    """Files of uploads and of the storage, with those that are unfinished."""
    return sorted(str(path.relative_to(folder)) for name in ("uploads", "files", "storage") for path in
                  (folder / name).rglob("*") if path.is_file())  # fmt: skip


async def test_a_full_disk_under_the_data_folder(
    install: Callable[..., Installation], queue_server: EmbeddedValkey, small_disk: Path
) -> None:
    data, filler = small_disk / "data", small_disk / "filler"
    installation = install(OFFLOAD_REDIS_URL=queue_server.url, OFFLOAD_DATA_DIR=str(data))
    await asyncio.to_thread(installation.start_web)
    await asyncio.to_thread(installation.start_worker)
    await installation.send(JOBS, pace_s=0)
    async with installation.client() as client:
        first = await client.post("/api/files", files={"file": ("a.png", PICTURE)})
        assert first.status_code == 201, first.text
        before = stored(data)
        await asyncio.to_thread(fill, filler)
        words = {"name": "n", "subject": "s", "html": "<p>x</p>", "text": "x" * 20_000}
        answers = {
            "upload": await client.post("/api/files", files={"file": ("b.png", PICTURE * 2)}),
            "template": await client.post("/api/templates", json=words),
        }
        for name, answer in answers.items():
            assert answer.status_code == 507, (name, answer.text)
            assert answer.json()["detail"].count(". ") <= 1 and "full" in answer.json()["detail"], (name, answer.text)
            assert answer.headers["retry-after"]
        assert stored(data) == before
        # What needs no room of the data folder goes on.
        assert (await client.get(f"/api/files/{first.json()['file_id']}")).status_code == 200
        ready = await client.get("/health/ready")
        assert ready.status_code == 503 and "full" in ready.text, ready.text
        sending = asyncio.create_task(installation.send(JOBS, pace_s=0))
        await wait_until_async(lambda: sending.done() or installation.answers[507] or installation.answers[503])
        filler.unlink()
        await sending
        for name in ("b.png", "c.png"):
            answer = await client.post("/api/files", files={"file": (name, PICTURE)})
            assert answer.status_code == 201, answer.text
        assert (await client.post("/api/templates", json=words)).status_code == 201
        assert (await client.get("/health/ready")).status_code == 200
    row = await installation.count("disk of the data folder full")
    assert (row.jobs, row.lost, row.twice, row.stuck, row.remarks) == (2 * JOBS, 0, 0, 0, "")
