"""Selecting rows: with the mouse, the shift key and the keyboard, and what becomes of the selection."""

from playwright.async_api import Page

from service.engine.states import State
from tests.browser.conftest import Desk
from tests.dashboard.made import Maker


async def ticked(page: Page) -> int:
    return await page.locator("[data-pick]:checked").count()


async def test_rows_are_picked_by_one_by_stretch_and_by_page(desk: Desk, made: Maker) -> None:
    for _ in range(5):
        await made.queued()
    page = await desk.open("/admin/jobs")
    boxes = page.locator("[data-pick]")
    await boxes.nth(1).click()
    await boxes.nth(3).click(modifiers=["Shift"])
    assert await ticked(page) == 3
    assert await page.locator("[data-picked]").inner_text() == "3 selected"
    head = page.locator("[data-pick-all]")
    assert await head.evaluate("box => box.indeterminate")
    await head.check()
    assert await ticked(page) == 5
    await head.uncheck()
    assert await ticked(page) == 0
    await page.keyboard.press("j")
    await page.keyboard.press("x")
    assert await ticked(page) == 1


async def test_the_page_holds_still_while_something_is_selected(desk: Desk, made: Maker) -> None:
    await made.queued()
    page = await desk.open("/admin/jobs")
    await page.locator("[data-pick]").first.check()
    await page.wait_for_timeout(300)  # what was under way may still arrive
    requested: list[str] = []
    page.on("request", lambda request: requested.append(request.url))
    await page.wait_for_timeout(4000)
    assert requested == [] and await ticked(page) == 1
    notice = page.locator("[data-held]")
    assert await notice.is_visible() and "not refreshed" in await notice.inner_text()
    assert await page.locator("[data-freshness]").inner_text() == "held while rows are ticked"
    async with page.expect_event("request"):
        await page.locator("[data-pick]").first.uncheck()
    assert not await notice.is_visible()


async def test_a_selection_is_asked_about_carried_out_and_followed(desk: Desk, made: Maker) -> None:
    ids = [await made.queued() for _ in range(3)]
    page = await desk.open("/admin/jobs?status=queued")
    for job_id in ids[:2]:
        await page.get_by_label(f"Select {job_id}").check()
    await page.get_by_role("button", name="Cancel…").click()
    await page.get_by_role("heading", name="Cancel 2 chosen jobs?").wait_for()
    await page.get_by_role("button", name="Cancel", exact=True).click()
    await page.get_by_text("2 of 2 done").wait_for()
    states = [job.state for job in await made.store.get_many(ids) if job]
    assert states == [State.CANCELLED, State.CANCELLED, State.QUEUED]


async def test_the_whole_filter_is_selected_without_scripts_too(desk: Desk, made: Maker) -> None:
    for _ in range(2):
        await made.failed(await made.active())
    page = await desk.open("/admin/jobs?status=failed", java_script_enabled=False)
    await page.get_by_label("everything that fits the filter").check()
    await page.get_by_role("button", name="Retry…").click()
    await page.get_by_role("heading", name="Retry all failed jobs?").wait_for()
    await page.get_by_role("button", name="Retry", exact=True).click()
    await page.get_by_role("heading", name="Retry all failed jobs").wait_for()
    assert "/admin/operations/retry-" in page.url


async def test_nothing_selected_asks_nothing(desk: Desk, made: Maker) -> None:
    await made.queued()
    page = await desk.open("/admin/jobs")
    await page.get_by_role("button", name="Cancel…").click()
    assert page.url.endswith("/admin/jobs")
