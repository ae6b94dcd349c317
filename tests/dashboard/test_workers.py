"""The workers' page."""

from tests.dashboard.conftest import Client
from tests.dashboard.made import Maker


async def test_a_worker_shows_what_it_is_and_does(operator: Client, made: Maker) -> None:
    job = await made.active()
    await made.worker(jobs=[job.id], active=1)
    page = (await operator.get("/admin/workers")).text
    assert "Alive" in page and "1 of 2" in page and "734 MB" in page and "4712, 4713" in page
    assert f'href="/admin/jobs/{job.id}"' in page


async def test_a_silent_worker_is_told_apart(operator: Client, made: Maker) -> None:
    await made.worker(silent_ms=60_000)
    assert "Silent for 1 min" in (await operator.get("/admin/workers/live")).text


async def test_no_worker_says_how_to_start_one(operator: Client) -> None:
    assert "arq tasks.workers.PdfProcessing" in (await operator.get("/admin/workers")).text
