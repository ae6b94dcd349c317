"""Nothing moves under the cursor while the page refreshes itself."""

from collections.abc import Awaitable, Callable

import pytest
from playwright.async_api import Locator, Page

from service.lib.clock import now_ms
from settings import Queue
from tests.browser.conftest import Desk, eventually
from tests.dashboard.made import Maker, made_type

HELD = "held: a row would move"
Change = Callable[[], Awaitable[object]]


async def jobs(made: Maker) -> tuple[str, Change]:
    """A job above the row comes to have a line more."""
    row = await made.queued(made_type("csv-export", Queue.CSV_EXPORT))
    above = await made.active()
    await made.progressed(above, 30, "Page 3 of 9")
    return f"#row-{row}", lambda: made.retrying(above)


async def first_page(made: Maker) -> tuple[str, Change]:
    """Jobs begin to run, which are listed above."""
    failed = await made.failed(await made.active())
    return f"#row-{failed}", made.active


async def queue_row(made: Maker) -> tuple[str, Change]:
    """A queue above has a cause of failures to name."""
    await made.worker()

    async def fails() -> None:
        await made.failed(await made.active())

    return "#queue-thumbnails", fails


async def workers(made: Maker) -> tuple[str, Change]:
    """A worker comes that stands above."""
    await made.worker(Queue.THUMBNAILS)
    return "#workers tbody tr:has-text('thumbnails')", lambda: made.worker(Queue.CSV_EXPORT)


async def alerts(made: Maker) -> tuple[str, Change]:
    """A rule above is muted for a long reason."""
    until_ms = now_ms() + 3_600_000
    alerts = made.services.alerts
    return "#rule-evictions", lambda: alerts.mute("failure-rate", reason="busy " * 80, by="ada", until_ms=until_ms)


LISTS = {"jobs": jobs, "queues": first_page, "queues#the-queues": queue_row, "workers": workers, "alerts": alerts}


async def refreshed(page: Page) -> None:
    """The page has asked again, and what came is in place, or held back."""
    async with page.expect_event("requestfinished", lambda request: "/live" in request.url):
        await page.evaluate("document.dispatchEvent(new Event('visibilitychange'))")
    await page.evaluate("new Promise(done => requestAnimationFrame(() => setTimeout(done)))")


async def box(row: Locator) -> dict[str, float]:
    """Its place on the screen, to the pixel."""
    found = await row.bounding_box()
    assert found is not None
    return {name: round(value) for name, value in found.items()}


async def held(page: Page) -> bool:
    await refreshed(page)
    return await page.locator("[data-freshness]").inner_text() == HELD


@pytest.mark.parametrize("name", LISTS)
async def test_the_row_under_the_pointer_stays_and_moves_once_the_pointer_has_left(
    desk: Desk, made: Maker, name: str
) -> None:
    selector, change = await LISTS[name](made)
    page = await desk.open(f"/admin/{name}")
    row = page.locator(selector)
    await row.hover()
    before = await box(row)
    await refreshed(page)
    assert await box(row) == before, "the row moved although nothing had changed"
    await change()
    await eventually(lambda: held(page))
    assert await box(row) == before
    assert await row.evaluate("row => row.matches(':hover')")
    await page.mouse.move(2, 700)
    await eventually(lambda: _moved(row, before))
    assert HELD not in await page.locator("[data-freshness]").inner_text()


async def test_the_row_with_the_focus_stays_and_keeps_it(desk: Desk, made: Maker) -> None:
    selector, change = await jobs(made)
    page = await desk.open("/admin/jobs")
    link = page.locator(selector).get_by_role("link").first
    await link.focus()
    before = await box(page.locator(selector))
    await change()
    await eventually(lambda: held(page))
    assert await box(page.locator(selector)) == before
    assert await link.evaluate("link => link === document.activeElement")
    await page.keyboard.press("Tab")


async def test_jobs_that_come_are_told_over_the_list_without_moving_it(desk: Desk, made: Maker) -> None:
    row_id = await made.queued()
    page = await desk.open("/admin/jobs")
    row = page.locator(f"#row-{row_id}")
    await row.hover()
    before = await box(row)
    await made.queued()
    await page.get_by_text("1 new job: show").wait_for()
    assert await box(row) == before
    await page.get_by_text("1 new job: show").click()
    await page.locator("tr[data-row]").nth(1).wait_for()


async def _moved(row: Locator, before: dict[str, float]) -> bool:
    return (await box(row))["y"] != before["y"]
