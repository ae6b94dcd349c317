"""Size of a fleet that autoscalers read from /workers/wanted."""

import httpx

from settings import Queue
from tests.api.conftest import Served
from tests.dashboard.made import Maker

URL = "/workers/wanted"


async def test_an_idle_queue_wants_nobody(anonymous: httpx.AsyncClient) -> None:
    answer = await anonymous.get(URL, params={"queue": "csv-export"})
    assert answer.json() == {"queue": "csv-export", "wanted": 0, "backlog_seconds": 0, "slots": 0}


async def test_work_that_waits_wants_workers_by_the_time_it_may_take(
    anonymous: httpx.AsyncClient, served: Served
) -> None:
    made = Maker(served.services)
    for _ in range(3):
        await made.queued()
    await made.worker(Queue.PDF_PROCESSING)
    await made.worker(Queue.PDF_PROCESSING, id="silent", silent_ms=60_000)
    found = (await anonymous.get(URL, params={"queue": "pdf-processing", "within_s": 86_400})).json()
    assert (found["wanted"], found["slots"]) == (1, 2) and found["backlog_seconds"] > 2
    sooner = (await anonymous.get(URL, params={"queue": "pdf-processing", "within_s": 1})).json()
    assert sooner["wanted"] > 1 and sooner["backlog_seconds"] == found["backlog_seconds"]
    # What waits in a paused queue is not worked on, however many there are.
    await served.services.store.controls.set("pdf-processing", "pause", reason="the disk is full", by="admin")
    assert (await anonymous.get(URL, params={"queue": "pdf-processing", "within_s": 1})).json()["wanted"] == 0


async def test_what_runs_keeps_its_workers(anonymous: httpx.AsyncClient, served: Served) -> None:
    await Maker(served.services).worker(Queue.CSV_EXPORT, active=3, slots=3)
    assert (await anonymous.get(URL, params={"queue": "csv-export"})).json()["wanted"] == 3


async def test_a_queue_that_does_not_exist_is_named(anonymous: httpx.AsyncClient) -> None:
    answer = await anonymous.get(URL, params={"queue": "csv"})
    assert answer.status_code == 400
    assert answer.json()["errors"][0]["field"] == "queue" and "csv-export" in answer.json()["detail"]
    assert (await anonymous.get(URL)).status_code == 400
