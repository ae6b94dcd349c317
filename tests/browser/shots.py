"""Screenshots of every page, in both themes and at phone width: `make screenshots` writes them.

They are small PNGs of 32 colours in docs/screenshots/. The file's name keeps it out of the test suite.
"""

import io
import math
from datetime import date
from pathlib import Path

import pytest
from PIL import Image
from playwright.async_api import Page
from sqlalchemy import delete

from service.database import Document
from service.engine.store import keys
from service.lib.clock import now_ms
from service.monitoring.audit_log import AuditEntry, Target
from service.monitoring.metrics.metrics import last_monday
from settings import Queue
from tests.browser.conftest import PHONE, Desk
from tests.browser.shown_results import show_results
from tests.browser.test_portal import mails, portal, the_job
from tests.browser.test_status_link import link
from tests.dashboard.documents import pictured, stored
from tests.dashboard.made import Anything, Maker, made_type
from tests.documents.images.pictures import saved, scene

__all__ = ["mails", "portal"]

ROOT = Path(__file__).resolve().parents[2]
FOLDER = ROOT / "docs" / "screenshots"
SMALL_DESK = {"width": 1120, "height": 700}
COLOURS = 32
PAGES = {
    "queues": "queues",
    "queue": "queues/thumbnails",
    "jobs": "jobs",
    "new-job": "jobs/new?type=csv-export",
    "job": "job running",
    "job-failed": "job failed",
    "job-text": "job text",
    "job-export": "job export",
    "job-campaign": "job campaign",
    "job-thumbnails": "job thumbnails",
    "job-log": "job log",
    "job-runs": "job runs",
    "job-edit": "job edit",
    "documents": "documents",
    "document": "document",
    "operations": "operations",
    "workers": "workers",
    "schedules": "schedules",
    "webhooks": "webhooks",
    "templates": "templates",
    "template": "template",
    "errors": "errors",
    "error": "error",
    "alerts": "alerts",
    "metrics": "metrics?period=hour",
    "week": "metrics/weeks",
    "storage": "storage",
    "audit": "audit",
    "owners": "owners",
    "users": "users",
    "usage": "usage",
    "doubtful": "doubtful",
    "fairness": "fairness",
    "preferences": "preferences",
    "tell": "job tell",
}


@pytest.mark.parametrize("name", PAGES)
async def test_a_page_is_taken(desk: Desk, made: Maker, name: str) -> None:
    addresses = await show_results(made, name) or await show(made)
    page = await desk.open(
        f"/admin/{addresses.get(PAGES[name], PAGES[name])}", reduced_motion="reduce", viewport=SMALL_DESK
    )
    await _take_each(page, name)


async def test_the_page_behind_a_status_link_is_taken(desk: Desk, made: Maker) -> None:
    job = await made.active()
    await made.progressed(job, 67, "Processing page 134 of 200 (67%)", pages_processed=134, total_pages=200)
    page = await desk.open(link(made, job.id), reduced_motion="reduce", viewport=SMALL_DESK, locale="de-DE")
    await _take_each(page, "status-link")


async def test_the_portal_is_taken(portal: str, desk: Desk, made: Maker) -> None:
    page = await desk.open(portal, reduced_motion="reduce", viewport=SMALL_DESK)
    scan = str(ROOT / "samples" / "scan.pdf")
    for name in ("read", "halfway"):
        await page.locator("input[type=file]").set_input_files(scan)
        await page.get_by_role("button", name="Read it").click()
        job = await made.claimed(await the_job(made))
        if name == "read":
            text = b"Meeting of the harbour board\n\nMinutes of the fourteenth meeting, held in the old customs house"
            await made.completed(
                job, {"text.txt": (text, "text/plain"), "searchable.pdf": (b"%PDF", "application/pdf")}
            )
            await page.get_by_label("Text").wait_for()
        else:
            await made.progressed(job, 66, "Processing page 2 of 3 (66%)", pages_processed=2, total_pages=3)
            await page.get_by_text("Page 2 of 3").wait_for()
    await _take_each(page, "portal")


async def show(made: Maker) -> dict[str, str]:
    """An ordinary hour of a small installation. Answers the addresses of jobs and of an error."""
    await _busy_hour(made)
    await _quarter(made)
    for queue in Queue:
        await made.worker(queue, id=f"{queue}:worker-1:{4700 + len(queue)}")
    await made.completed(await made.active(payload=Anything(file_id="file-7f3a")), {"text.txt": (b"x", "text/plain")})
    failed = await made.failed(
        await made.active(payload=Anything(file_id="file-91c0")), error="page 12 is encrypted and cannot be read"
    )
    export = made_type("csv-export", Queue.CSV_EXPORT)
    await made.retrying(await made.active(export, owner="globex"))
    running = await made.active(units=200, payload=Anything(file_id="file-2b7d"))
    await made.progressed(running, 67, "Processing page 134 of 200 (67%)", pages_processed=134, total_pages=200)
    for owner in ("acme", "globex", "initech"):
        await made.queued(owner=owner)
    services, at_ms = made.services, now_ms()
    await made.store.controls.set("thumbnails", "pause", reason="the disk is being replaced", by="ada")
    await services.alerts.mute("queue-backlog", reason="a big import", by="ada", until_ms=at_ms + 3_600_000)
    await services.schedules.pause("daily-digest", reason="public holiday", by="ada", until_ms=at_ms + 86_400_000)
    for action, target, detail in (
        ("operation.begun", Target("operation", "retry-5f0c"), "retry all failed jobs in csv-export, 120 in all"),
        ("job.cancelled", Target("job", running.id), ""),
        ("queue.steered", Target("queue", "thumbnails"), "kind=pause reason=the disk is being replaced"),
    ):
        await services.audit.record(
            AuditEntry(
                actor="ada",
                role="operator",
                action=action,
                target=target,
                owner="acme",
                detail=detail,
                address="10.0.0.7",
            )
        )
    for name in ("Welcome", "Your invoice", "News of May"):
        template = await made.mail_template(name)
    (group,) = await made.store.error_groups.list()
    return {
        "document": await _uploads(made),
        "template": f"templates/{template}",
        "job running": f"jobs/{running.id}",
        "job tell": f"jobs/{running.id}/status-link",
        "job failed": f"jobs/{failed}",
        "error": f"errors/{group.fingerprint}",
    }


async def _uploads(made: Maker) -> str:
    """A scan, photos, and one that is still without a picture. Answers the address of the scan."""
    async with made.services.database.writing() as session:
        await session.execute(delete(Document))
    await stored(made, "receipt 0417.png", owner="globex", data=saved(scene(500, 800), "PNG"))
    for name, width, height in (("harbour.jpg", 1200, 800), ("portrait.webp", 600, 900)):
        photo = saved(scene(width, height), name.rpartition(".")[2].upper().replace("JPG", "JPEG"))
        await pictured(made, await stored(made, name, owner="initech", data=photo))
    scan = await stored(made, "Contract of lease.pdf", data=(ROOT / "samples" / "scan.pdf").read_bytes())
    await pictured(made, scan)
    await made.queued(payload=Anything(file_id=scan.file_id))
    return f"documents/{scan.file_id}"


async def _quarter(made: Maker) -> None:
    """Days of some weeks, each a little busier than the one before."""
    pipe, sunday = made.store.redis.pipeline(), (last_monday() - date(1970, 1, 1)).days + 6
    for number, queue in enumerate(Queue):
        for ago in range(0, 49):
            done = (420 - 5 * ago) // (number + 1)
            figures = {
                "completed|t": done,
                "failed|t": done // 90,
                "r40|t": done,
                "run_ms|t": done * 2400 * (number + 1),
            }
            if queue is Queue.EMAIL_SENDER:
                figures |= {"mail_sent": 40 * done, "mail_bounced": done // 3}
            pipe.hset(keys.metrics_day(queue, sunday - ago), mapping=figures)
    await pipe.execute()


async def _busy_hour(made: Maker) -> None:
    """Minutes as the store's scripts count them: a wave of work, waits that follow it, now and then a failure."""
    pipe, now = made.store.redis.pipeline(), now_ms() // 60_000
    for number, queue in enumerate(Queue):
        for ago in range(1, 60):
            done = round(6 + 5 * math.sin((ago + 9 * number) / 8))
            wait, run = 24 + done + ago % 3, 30 + 2 * number + (ago * 7) % 5
            row = {"completed": done, f"w{wait}": done, f"w{wait + 6}": 1, f"r{run}": done, f"r{run + 5}": 1}
            pipe.hset(keys.metrics(queue, now - ago), mapping=row | ({"failed": 1} if ago % 17 == number else {}))
    await pipe.execute()


async def _take_each(page: Page, name: str) -> None:
    """In both themes, and at phone width."""
    for theme in ("light", "dark"):
        await page.emulate_media(color_scheme=theme)
        await _take(page, f"{name}-{theme}")
    await page.set_viewport_size(PHONE)
    await page.emulate_media(color_scheme="light")
    await _take(page, f"{name}-phone")


async def _take(page: Page, name: str) -> None:
    """What is seen without scrolling, in few colours: text and flat areas lose nothing by it."""
    picture = Image.open(io.BytesIO(await page.screenshot())).convert("RGB")
    FOLDER.mkdir(parents=True, exist_ok=True)
    picture.quantize(COLOURS, dither=Image.Dither.NONE).save(FOLDER / f"{name}.png", optimize=True)
