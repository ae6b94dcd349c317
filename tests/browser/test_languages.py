"""A user reads pages in German and times in another zone, in a real browser."""

import re
from datetime import UTC, datetime
from zoneinfo import ZoneInfo

from playwright.async_api import Page, expect

from tests.browser.conftest import Desk
from tests.dashboard.made import Maker


async def shows(page: Page, at: datetime, zone: str) -> None:
    """Waits until the page shows a moment in a zone."""
    shown = page.locator(f'main time[datetime^="{at:%Y-%m-%dT%H:%M:%S}"]').first
    await expect(shown).to_have_attribute("title", re.compile(f"{at.astimezone(ZoneInfo(zone)):%H:%M:%S}"))
    await expect(page.locator("[data-zone]")).to_have_text(zone)


async def test_a_user_switches_to_german_and_to_another_zone(desk: Desk, made: Maker) -> None:
    job_id = await made.queued()
    created = datetime.fromtimestamp((await made.store.present(job_id)).created_ms / 1000, UTC)
    page = await desk.open(f"/admin/jobs/{job_id}")
    await shows(page, created, "Europe/Berlin")
    await page.get_by_role("link", name="English").click()
    await page.locator('select[name="language"]').select_option("de")
    await page.get_by_role("combobox", name="Time zone").fill("Asia/Tokyo")
    await page.get_by_role("button", name="Save").click()
    await expect(page.get_by_role("heading", name="Sprache und Zeitzone")).to_be_visible()
    await page.goto(f"/admin/jobs/{job_id}")
    await shows(page, created, "Asia/Tokyo")
    await page.reload()
    await expect(page.locator("html")).to_have_attribute("lang", "de")
    await shows(page, created, "Asia/Tokyo")
    await expect(page.locator("[data-freshness]")).to_have_text(re.compile("^aktualisiert "))
