"""The manners of a page that refreshes itself."""

import pytest
from playwright.async_api import Page

from dashboard.jobs.log import LATE_MS
from service.engine.store import keys
from service.lib.clock import now_ms
from service.monitoring.audit_log import AuditEntry, Target
from tests.browser.conftest import Desk, eventually
from tests.dashboard.made import Maker


async def value_of_bar(page: Page) -> int:
    return int(await page.locator("progress.large").get_attribute("value") or 0)


async def test_the_bar_moves_and_the_end_is_shown_without_a_reload(desk: Desk, made: Maker) -> None:
    job = await made.active()
    page = await desk.open(f"/admin/jobs/{job.id}")
    await page.evaluate("window.stillHere = true")
    for percent in (20, 55, 90):
        await made.progressed(job, percent, f"Processing page {percent} of 100 ({percent}%)")
        await page.get_by_text(f"Processing page {percent} of 100").wait_for()
        assert await value_of_bar(page) == percent
    await made.completed(job, {"text.txt": (b"The text.", "text/plain")})
    await page.get_by_role("link", name="text.txt", exact=True).wait_for()
    assert await page.get_by_text("The text.").is_visible()
    assert await page.locator(".badge.large").inner_text() == "Completed"
    assert await page.evaluate("window.stillHere")


async def test_a_job_that_has_ended_is_asked_after_no_more(desk: Desk, made: Maker) -> None:
    job = await made.active()
    page = await desk.open(f"/admin/jobs/{job.id}")
    await made.completed(job)
    await page.locator(".badge.large", has_text="Completed").wait_for()
    # Its log is followed a little longer, for lines that come behind the outcome: let that be over.
    await made.store.redis.hincrby(keys.job(job.id), "finished_ms", -LATE_MS)
    await page.locator("#log:not([data-live])").wait_for()
    requested: list[str] = []
    page.on("request", lambda request: requested.append(request.url))
    await page.wait_for_timeout(2500)
    assert requested == []


async def test_counts_move_by_themselves(desk: Desk, made: Maker) -> None:
    page = await desk.open("/admin/queues")
    await made.queued()
    await page.locator("#queue-pdf-processing a", has_text="1").wait_for()
    assert "updated" in await page.locator("[data-freshness]").inner_text()


async def test_a_refresh_closes_nothing_moves_nothing_and_forgets_nothing(desk: Desk, made: Maker) -> None:
    job = await made.active()
    await made.retrying(job, error="ConnectionError: no answer", delay_ms=600_000)
    page = await desk.open("/admin/jobs")
    await page.locator("[data-filter]").fill("half a wo")
    row = page.locator(f"#row-{job.id}")
    await row.evaluate("row => { window.row = row }")
    where = await row.bounding_box()
    await made.queued()
    await page.get_by_text("1 new job: show").wait_for()
    assert await page.locator("[data-filter]").input_value() == "half a wo"
    assert await row.evaluate("row => row === window.row"), "the row is the very same element"
    now = await row.bounding_box()
    assert where and now and where["x"] == now["x"]


async def test_an_open_traceback_and_an_open_question_stay_open(desk: Desk, made: Maker) -> None:
    job = await made.active()
    await made.retrying(job, error="ConnectionError: no answer", traceback="Traceback: line 1", delay_ms=0)
    again = await made.claimed(job)
    page = await desk.open(f"/admin/jobs/{job.id}")
    await page.get_by_text("Traceback", exact=True).click()
    await page.get_by_role("button", name="Cancel…").click()
    await made.progressed(again, 42, "Processing page 42")
    await page.get_by_text("Processing page 42").wait_for()
    assert await page.get_by_text("Traceback: line 1").is_visible()
    assert await page.get_by_text(f"Stop {job.id}").is_visible()


async def test_a_hidden_tab_asks_for_nothing_and_catches_up_when_shown(desk: Desk, made: Maker) -> None:
    page = await desk.open("/admin/queues")
    await page.evaluate(
        """() => {
            window.hiddenNow = true;
            Object.defineProperty(document, "hidden", { get: () => window.hiddenNow });
            document.dispatchEvent(new Event("visibilitychange"));
        }"""
    )
    assert await page.locator("[data-freshness]").inner_text() == "paused"
    await page.wait_for_timeout(300)  # what was under way when the tab was hidden may still arrive
    requested: list[str] = []
    page.on("request", lambda request: requested.append(request.url))
    await page.wait_for_timeout(4500)
    assert requested == []
    await page.evaluate("window.hiddenNow = false; document.dispatchEvent(new Event('visibilitychange'))")
    await eventually(lambda: _shows(page, "updated"))


async def test_it_says_when_it_has_lost_the_server_and_when_it_is_back(desk: Desk, made: Maker) -> None:
    page = await desk.open("/admin/queues")
    await page.route("**/live", lambda route: route.abort())
    await eventually(lambda: _shows(page, "reconnecting"))
    await page.unroute("**/live")
    await eventually(lambda: _shows(page, "updated"))
    desk.complaints.clear()  # the browser reports the requests that this test cut off


async def test_a_tick_is_skipped_while_one_is_under_way(desk: Desk, made: Maker) -> None:
    page = await desk.open("/admin/queues")
    held = []
    await page.route("**/live", lambda route: held.append(route))
    await eventually(lambda: _true(bool(held)))
    await page.wait_for_timeout(5000)
    assert len(held) == 1
    await held[0].continue_()


@pytest.mark.parametrize(
    ("path", "name", "verb", "change"),
    [
        ("/admin/schedules", "daily-digest", "Pause", "Paused by somebody"),
        ("/admin/alerts", "queue-backlog", "Mute", "by somebody for another"),
    ],
)
async def test_a_form_that_somebody_fills_in_outlives_a_refresh(
    desk: Desk, made: Maker, path: str, name: str, verb: str, change: str
) -> None:
    page = await desk.open(path)
    form = page.locator(f"#{verb.lower()}-{name}")
    await form.get_by_text(f"{verb} {name}").click()
    await form.get_by_label("Why?").fill("half a wo")
    await form.get_by_label("How long?").select_option("4h")
    services, until_ms = made.services, now_ms() + 3_600_000
    if verb == "Pause":
        await services.schedules.pause("weekly-analytics", reason="r", by="somebody", until_ms=until_ms)
    else:
        await services.alerts.mute("worker-silent", reason="r", by="somebody", until_ms=until_ms)
    await _refresh(page)
    await page.get_by_text(change).first.wait_for()
    assert await form.get_by_label("Why?").is_visible()
    assert await form.get_by_label("Why?").input_value() == "half a wo"
    assert await form.get_by_label("How long?").input_value() == "4h"
    assert "updated" in await page.locator("[data-freshness]").inner_text()


async def test_metrics_count_and_the_audit_log_tells_of_new_lines_by_themselves(desk: Desk, made: Maker) -> None:
    metrics = await desk.open("/admin/metrics?period=hour")
    audit = await desk.open("/admin/audit")
    await audit.locator("input[name=actor]").fill("half a wo")
    await made.completed(await made.active())
    await made.services.audit.record(
        AuditEntry(actor="admin", role="operator", action="job.retried", target=Target("job", "job-1"), owner="acme")
    )
    await eventually(lambda: _refreshed(metrics, "1 completed"))
    await eventually(lambda: _refreshed(audit, "new line"))
    assert await audit.locator("input[name=actor]").input_value() == "half a wo"


async def _refresh(page: Page) -> None:
    """As when the tab is shown again: at once, without waiting for the next tick."""
    await page.evaluate("document.dispatchEvent(new Event('visibilitychange'))")


async def _refreshed(page: Page, words: str) -> bool:
    await _refresh(page)
    return words in await page.locator("main").inner_text()


async def _shows(page: Page, words: str) -> bool:
    return words in (await page.locator("[data-freshness]").text_content() or "")


async def _true(answer: bool) -> bool:
    return answer


async def test_the_slider_shows_a_past_moment_which_stands_still_until_one_goes_back_to_now(
    desk: Desk, made: Maker
) -> None:
    page = await desk.open("/admin/queues")
    slider = page.locator("#past-at")
    await slider.evaluate(
        "slider => { slider.value = Number(slider.min) + 3600000 * 24;"
        " slider.dispatchEvent(new Event('input', {bubbles: true}));"
        " slider.dispatchEvent(new Event('change', {bubbles: true})); }"
    )
    await page.get_by_text("This page does not refresh.").wait_for()
    assert "at=" in page.url and await page.locator("[data-live]:not([data-quiet])").count() == 0
    await page.get_by_role("link", name="Day later").click()
    await page.get_by_text("This page does not refresh.").wait_for()
    await page.get_by_role("link", name="Back to now").click()
    await page.locator("#overview[data-live]").wait_for()
    assert page.url.endswith("/admin/queues")
