"""The API on loopback with a real worker of the thumbnails queue beside it."""

import os
import subprocess
import sys
from collections.abc import Awaitable, Callable, Iterator
from pathlib import Path

import httpx
import pytest

from tests.api.conftest import acme, app, globex, nobody, served
from tests.waiting import wait_until_async

__all__ = ["acme", "app", "globex", "nobody", "served"]

Follow = Callable[[str], Awaitable[dict[str, object]]]


@pytest.fixture
def start_worker(settings_env: dict[str, str], tmp_path: Path) -> Iterator[Callable[[], None]]:
    """Starts `arq tasks.workers.Thumbnails`, ended at the end."""
    started: list[subprocess.Popen[bytes]] = []
    log = tmp_path / "worker.log"

    def start() -> None:
        command = [sys.executable, "-m", "arq", "tasks.workers.Thumbnails"]
        with log.open("ab") as output:
            started.append(subprocess.Popen(command, env=os.environ | settings_env, stdout=output, stderr=output))

    yield start
    for worker in started:
        worker.kill()
        worker.wait()
    if started:
        print(log.read_text()[-4000:])


@pytest.fixture
def follow(acme: httpx.AsyncClient) -> Follow:
    """Waits for a job's end and answers all that is known of it."""

    async def followed(job_id: str) -> dict[str, object]:
        async def ended() -> bool:
            status = (await acme.get(f"/api/jobs/{job_id}/status")).json()["status"]
            return status in ("completed", "failed", "cancelled")

        await wait_until_async(ended)
        found: dict[str, object] = (await acme.get(f"/api/jobs/{job_id}")).json()
        return found

    return followed


async def uploaded(client: httpx.AsyncClient, data: bytes, name: str = "scene.jpg") -> str:
    answer = await client.post("/api/files", files={"file": (name, data)})
    assert answer.status_code == 201, answer.text
    return str(answer.json()["file_id"])
