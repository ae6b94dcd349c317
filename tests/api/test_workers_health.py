"""What /workers/health makes of the workers' reports."""

import httpx
import pytest

from settings import Queue
from tests.api.conftest import Served
from tests.dashboard.made import Maker


async def everybody(made: Maker) -> None:
    """One worker of each queue, well and taking jobs."""
    for queue in Queue:
        await made.worker(queue)


@pytest.mark.parametrize(
    ("odd", "detail"),
    [
        ({}, "Every queue has a worker."),
        ({"silent_ms": 60_000, "id": "extra"}, "Silent: extra."),
        ({"quiet": True, "id": "extra"}, "Quiet, because somebody wants it: extra."),
    ],
)
async def test_a_worker_that_is_silent_or_quiet_is_named(
    nobody: httpx.AsyncClient, served: Served, odd: dict[str, object], detail: str
) -> None:
    made = Maker(served.services)
    await everybody(made)
    if odd:
        await made.worker(Queue.CSV_EXPORT, **odd)
    answer = await nobody.get("/workers/health")
    assert (answer.status_code, answer.json()["status"]) == (200, "degraded" if odd else "ok")
    assert answer.json()["detail"] == detail
    assert len(answer.json()["workers"]) == len(Queue) + bool(odd)
