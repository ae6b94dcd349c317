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
        ({"fault": "OSError: no space.", "id": "extra"}, "Cannot do its work: extra. OSError: no space."),
        ({"quiet": True, "id": "extra"}, "Quiet, at an operator's request: extra."),
    ],
)
async def test_a_worker_that_is_silent_or_quiet_is_named(
    anonymous: httpx.AsyncClient, served: Served, odd: dict[str, object], detail: str
) -> None:
    made = Maker(served.services)
    await everybody(made)
    if odd:
        await made.worker(Queue.CSV_EXPORT, **odd)
    answer = await anonymous.get("/workers/health")
    assert (answer.status_code, answer.json()["status"]) == (200, "degraded" if odd else "ok")
    assert answer.json()["detail"] == detail
    assert len(answer.json()["workers"]) == len(Queue) + bool(odd)


async def test_a_queue_whose_only_worker_cannot_do_its_work_is_not_served(
    anonymous: httpx.AsyncClient, served: Served
) -> None:
    made = Maker(served.services)
    for queue in Queue:
        await made.worker(queue, fault="OSError: Read-only file system." if queue == Queue.PDF_PROCESSING else None)
    answer = await anonymous.get("/workers/health")
    assert (answer.status_code, answer.json()["status"]) == (503, "unavailable")
    assert answer.json()["detail"] == "No worker can do the work of pdf-processing: OSError: Read-only file system."
    faults = {worker["queue"]: worker["fault"] for worker in answer.json()["workers"]}
    assert [queue for queue, fault in faults.items() if fault] == ["pdf-processing"]
