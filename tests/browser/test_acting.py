"""Acting: with a mouse, with the keyboard, and without JavaScript."""

import pytest
from playwright.async_api import expect

from tests.browser.conftest import Desk
from tests.dashboard.made import Maker


@pytest.fixture
def scan() -> dict[str, object]:
    """The smallest PNG there is, as a file to choose."""
    import base64

    pixel = "iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mP8z8BQDwAEhQGAhKmMIQAAAABJRU5ErkJggg=="
    return {"name": "Rechnung №7.png", "mimeType": "image/png", "buffer": base64.b64decode(pixel)}


@pytest.mark.parametrize("scripts", [True, False], ids=["with scripts", "without scripts"])
async def test_an_upload_leads_to_its_job(desk: Desk, made: Maker, scan: dict[str, object], scripts: bool) -> None:
    page = await desk.open("/admin/queues", java_script_enabled=scripts)
    await page.get_by_label("PDF or image").set_input_files(scan)  # type: ignore[arg-type]  # a FilePayload
    await page.get_by_label("Priority").select_option("high")
    await page.get_by_role("button", name="Upload and start OCR").click()
    await page.get_by_text("The document is in").wait_for()
    job = (await made.store.list()).jobs[0]
    assert (job.type, job.priority) == ("pdf-ocr", "high")
    assert await page.locator("h1").inner_text() == job.id


@pytest.mark.parametrize("scripts", [True, False], ids=["with scripts", "without scripts"])
async def test_a_job_is_cancelled_retried_and_deleted(desk: Desk, made: Maker, scripts: bool) -> None:
    job_id = await made.queued()
    page = await desk.open(f"/admin/jobs/{job_id}", java_script_enabled=scripts)
    for action, text in (("Cancel", "Cancelled."), ("Retry", "Queued again"), ("Cancel", "Cancelled.")):
        await page.get_by_role("button", name=f"{action}…").click()
        await page.get_by_role("button", name=action, exact=True).click()
        await page.locator(".notice", has_text=text).wait_for()
    await page.get_by_role("button", name="Delete…").click()
    await expect(page.get_by_text(f"Delete {job_id}")).to_be_visible()
    await page.get_by_role("button", name="Delete", exact=True).click()
    await page.locator(".notice", has_text="In the bin").wait_for()
    assert (await made.store.list()).jobs == []
    await page.goto("/admin/workers")
    await page.reload()
    undo = page.get_by_role("button", name="Undo")
    await expect(page.locator(".undo")).to_contain_text(f"{job_id} is deleted. It can be restored for another 1")
    await undo.focus()
    await page.keyboard.press("Enter")
    await page.locator(".notice", has_text="Restored").wait_for()
    assert [job.id for job in (await made.store.list()).jobs] == [job_id]


async def test_a_question_can_be_left_by_the_escape_key(desk: Desk, made: Maker) -> None:
    job_id = await made.queued()
    page = await desk.open(f"/admin/jobs/{job_id}")
    await page.get_by_role("button", name="Cancel…").press("Enter")
    question = page.get_by_text(f"Stop {job_id}")
    await expect(question).to_be_visible()
    await page.keyboard.press("Escape")
    await expect(question).to_be_hidden()
    assert (await made.store.present(job_id)).state == "queued"


async def test_a_notice_is_told_once(desk: Desk, made: Maker) -> None:
    job_id = await made.queued()
    page = await desk.open(f"/admin/jobs/{job_id}?notice=retried")
    await page.locator(".notice").wait_for()
    assert page.url.endswith(f"/admin/jobs/{job_id}")


async def test_one_letter_commands(desk: Desk, made: Maker) -> None:
    older, newer = await made.queued(), await made.queued()
    page = await desk.open("/admin/queues")
    await page.keyboard.press("g")
    await page.keyboard.press("j")
    await page.wait_for_url("**/admin/jobs")
    await page.keyboard.press("j")
    await page.keyboard.press("j")
    assert older in (await page.locator(":focus").get_attribute("href") or "")
    await page.keyboard.press("k")
    await page.keyboard.press("Enter")
    await page.wait_for_url(f"**/admin/jobs/{newer}")
    await page.keyboard.press("?")
    await expect(page.get_by_role("heading", name="Keyboard")).to_be_visible()


async def test_slash_reaches_the_filter_and_what_is_typed_there_is_no_command(desk: Desk, made: Maker) -> None:
    page = await desk.open("/admin/jobs")
    await page.keyboard.press("/")
    await page.keyboard.type("state:failed gj?")
    assert await page.locator("[data-filter]").input_value() == "state:failed gj?"
    await page.locator("[data-filter]").fill("state:failed")
    await page.keyboard.press("Enter")
    await page.wait_for_url("**/admin/jobs?status=failed")


async def test_the_theme_is_kept(desk: Desk, made: Maker) -> None:
    page = await desk.open("/admin/queues", color_scheme="light")
    ground = "getComputedStyle(document.body).backgroundColor"
    light = await page.evaluate(ground)
    await page.keyboard.press("t")
    dark = await page.evaluate(ground)
    assert dark != light
    await page.reload()
    assert await page.evaluate(ground) == dark
    await page.get_by_role("button", name="Light or dark").click()
    assert await page.evaluate(ground) == light


async def test_menus_open_and_close_by_keyboard_and_cover_nothing_for_long(desk: Desk, made: Maker) -> None:
    page = await desk.open("/admin/queues")
    people = page.locator(".menu", has=page.locator("summary", has_text="People"))
    owners = people.get_by_role("link", name="Owners")
    await people.locator("summary").press("Enter")
    await page.keyboard.press("Tab")
    await expect(owners).to_be_focused()
    await page.keyboard.press("Escape")
    await expect(people.locator("summary")).to_be_focused()
    await expect(owners).to_be_hidden()
    await people.locator("summary").click()
    await expect(owners).to_be_visible()
    await page.locator(".foot").click()
    await expect(owners).to_be_hidden()


async def test_a_page_and_a_job_are_found_by_the_palette(desk: Desk, made: Maker) -> None:
    job_id = await made.queued()
    page = await desk.open("/admin/queues")
    await page.keyboard.press("Control+k")
    await expect(page.get_by_label("Go to a page or a saved view, or to a job by its id")).to_be_focused()
    await page.keyboard.type("sto")
    await page.keyboard.press("Enter")
    await page.wait_for_url("**/admin/storage")
    await page.keyboard.press("Control+k")
    await page.keyboard.type(job_id)
    await page.keyboard.press("ArrowDown")
    await expect(page.get_by_role("link", name=f"Job {job_id}")).to_be_focused()
    await page.keyboard.press("Enter")
    await page.wait_for_url(f"**/admin/jobs/{job_id}")


@pytest.mark.parametrize("path", ["queues", "jobs", "jobs/new?type=csv-export", "owners"])
async def test_every_control_is_reached_by_the_tab_key_and_seen(desk: Desk, made: Maker, path: str) -> None:
    await made.queued()
    page = await desk.open(f"/admin/{path}", reduced_motion="reduce")
    left = await page.evaluate(UNREACHED)
    assert left > 5
    for _ in range(left + SCROLLED):
        await page.keyboard.press("Tab")
        assert await page.evaluate(SEEN), await page.evaluate("document.activeElement.outerHTML")
        if not await page.evaluate(UNREACHED):
            break
    assert await page.evaluate(UNREACHED) == 0


SCROLLED = 20
"""Tables that scroll take the focus too, so does the browser itself, and a field of a date has a stop for each of its parts."""

UNREACHED = """() => {
  window.reached ??= new WeakSet();
  const all = document.querySelectorAll('a[href], button, input:not([type=hidden]), select, textarea, summary');
  return [...all].filter(one => one.checkVisibility({visibilityProperty: true}) && !one.disabled && one.tabIndex >= 0
    && !window.reached.has(one)).length;
}"""

SEEN = """() => {
  const one = document.activeElement;
  if (one === document.body) return true;
  window.reached.add(one);
  const box = one.getBoundingClientRect();
  if (one.type === 'datetime-local') return true;  // The browser marks the part that has the focus.
  return box.bottom > 0 && box.top < innerHeight && getComputedStyle(one).outlineStyle !== 'none';
}"""
