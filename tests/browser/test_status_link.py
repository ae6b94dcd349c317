"""The page behind a status link in a real browser: it follows its job, and can be read by everybody."""

import time

import pytest
from axe_playwright_python.async_playwright import Axe
from playwright.async_api import expect

from service.lib.tickets import page_path
from tests.browser.conftest import PHONE, Desk
from tests.browser.test_pages import STANDARDS
from tests.dashboard.made import Maker


def link(made: Maker, job_id: str) -> str:
    return page_path(made.services.tickets.issue(job_id, int(time.time()) + 600))


async def test_it_follows_the_job_to_its_results_without_a_reload(desk: Desk, made: Maker) -> None:
    job = await made.active()
    page = await desk.open(link(made, job.id), locale="de-DE", viewport=PHONE)
    await expect(page.get_by_role("status").first).to_have_text("Er wird bearbeitet.")
    await page.evaluate("window.stillHere = true")
    await made.progressed(job, 67, "Processing page 134 of 200 (67%)", pages_processed=134, total_pages=200)
    await expect(page.get_by_text("Seite 134 von 200")).to_be_visible()
    await expect(page.get_by_role("progressbar")).to_have_attribute("value", "67")
    await made.completed(job, {"searchable.pdf": (b"%PDF", "application/pdf")})
    await expect(page.get_by_role("status").first).to_have_text("Er ist fertig.")
    async with page.expect_download() as downloading:
        await page.get_by_role("link", name="Durchsuchbares PDF").click()
    assert (await (await downloading.value).path()).read_bytes() == b"%PDF"
    assert await page.evaluate("stillHere")
    await expect(page.locator("[hx-get]")).to_have_count(0)
    await page.get_by_role("link", name="In English").click()
    await expect(page.get_by_role("status").first).to_have_text("It is done.")


@pytest.mark.parametrize("scheme", ["light", "dark"])
async def test_it_can_be_read_by_everybody(desk: Desk, made: Maker, scheme: str) -> None:
    job = await made.active()
    await made.failed(job)
    page = await desk.open(link(made, job.id), color_scheme=scheme, viewport=PHONE)
    found = await Axe().run(page, options=STANDARDS)
    assert found.violations_count == 0, found.generate_report()
    width = await page.evaluate("document.documentElement.scrollWidth")
    assert width <= PHONE["width"]
