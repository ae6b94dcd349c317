"""Sentences that code makes stand on German pages in German, and what people wrote stands there as they wrote it."""

import time

from service.lib.tickets import page_path
from tests.dashboard.conftest import Client
from tests.dashboard.made import Maker

GERMAN = {"Accept-Language": "de"}


async def test_a_job_in_german(operator: Client, made: Maker) -> None:
    job = await made.active()
    await made.progressed(job, 3, "Processing page 3 of 500 (1%)")
    german = (await operator.get(f"/admin/jobs/{job.id}", headers=GERMAN)).text
    english = (await operator.get(f"/admin/jobs/{job.id}")).text
    assert "Seite 3 von 500 wird verarbeitet (1 %)" in german and "Processing page 3" not in german
    assert "Processing page 3 of 500 (1%)" in english and "Seite 3 von 500" not in english
    listed = (await operator.get("/admin/jobs", headers=GERMAN)).text
    assert "Seite 3 von 500 wird verarbeitet (1 %)" in listed and "Ein Worker führt ihn aus" in listed


async def test_why_a_job_waits_in_german(operator: Client, made: Maker) -> None:
    job_id = await made.queued()
    await made.services.store.controls.set("pdf-processing", "pause", reason="Job queued.", by="ann")
    page = (await operator.get(f"/admin/jobs/{job_id}", headers=GERMAN)).text
    assert (
        "Ist die Warteschlange offen?" in page
        and "ann hat pdf-processing angehalten, bis sie fortgesetzt wird: Job queued." in page
    )


async def test_a_refusal_in_german(operator: Client) -> None:
    answer = await operator.get("/admin/jobs/nowhere", headers=GERMAN)
    assert (
        answer.status_code == 404 and "Es gibt keinen Job nowhere." in answer.text and "Nicht gefunden" in answer.text
    )


async def test_the_link_of_a_job_in_german(anybody: Client, made: Maker) -> None:
    job = await made.active()
    await made.progressed(job, 3, "Preparing the OCR models (first use)…")
    path = page_path(made.services.tickets.issue(job.id, int(time.time()) + 60))
    page = (await anybody.get(path, headers=GERMAN)).text
    assert "Die OCR-Modelle werden vorbereitet (erste Verwendung) …" in page
    await made.failed(job, "the file is from another maker")
    assert 'lang="en">The file is from another maker.' in (await anybody.get(path, headers=GERMAN)).text
