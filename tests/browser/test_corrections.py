"""A doubtful page is put right by the keyboard alone, from the queue to its end; what was typed survives a conflict."""

from playwright.async_api import expect

from service.documents.corrections.editing import PageChange, WordChange
from tests.browser.conftest import PHONE, Desk
from tests.dashboard.made import Maker
from tests.documents.corrections.made_reading import artefact, made_reading, read_page, uploaded

LINES = ("the harbuor legder", "of nineteen hundred")


async def test_the_queue_is_worked_through_without_a_mouse(desk: Desk, made: Maker) -> None:
    document = await uploaded(made.services, owner="keys-owner", pages=2)
    pages = [read_page(*LINES, number=number, doubtful="harbuor legder") for number in (1, 2)]
    job = await made_reading(made.services, document, *pages)
    page = await desk.open("/admin/doubtful?owner=keys-owner")
    await page.keyboard.press("j")
    await page.keyboard.press("Enter")
    await page.get_by_role("heading", name="Page 1 of 2").wait_for()
    # A key that is pressed before the script is there goes to the browser.
    await page.wait_for_load_state("load")
    await page.keyboard.press("j")
    first = page.locator("input.word").first
    await expect(first).to_be_focused()
    await expect(page.locator("svg.sheet g[data-word='1']")).to_have_class("box doubtful at")
    await page.keyboard.press("Control+a")
    await page.keyboard.type("harbour")
    await page.keyboard.press("Enter")
    await page.get_by_text("1 doubtful word ·").wait_for()
    await expect(page.locator("input.word")).to_be_focused()
    await page.keyboard.press("Control+a")
    await page.keyboard.type("ledger")
    await page.keyboard.press("Enter")
    await page.get_by_text("No doubtful word is left.").wait_for()
    assert (await artefact(made.services, job, "text.txt")).startswith(b"the harbour ledger\n")
    await page.keyboard.press("Escape")
    await page.evaluate("document.activeElement.blur()")
    await page.keyboard.press("n")
    await page.get_by_role("heading", name="Page 2 of 2").wait_for()
    await page.wait_for_load_state("load")
    await page.keyboard.press("a")
    await page.get_by_text("A person found this page to be right.").wait_for()
    await page.goto("/admin/doubtful?owner=keys-owner")
    await page.get_by_text("No doubtful page that fits").wait_for()


async def test_what_was_typed_is_still_there_after_a_conflict(desk: Desk, made: Maker) -> None:
    services = made.services
    document = await uploaded(services)
    await made_reading(services, document, read_page(*LINES, doubtful="harbuor legder"))
    page = await desk.open(f"/admin/documents/{document.file_id}/pages/1", viewport=PHONE)
    words = page.locator("input.word")
    await words.nth(1).fill("ledger of mine")
    await words.nth(0).fill("harvest")
    there = await services.corrections.readings.page(document, 1)
    change = PageChange(version=there.version, words=[WordChange(order=1, text="harbour")])
    await services.corrections.correct(document, 1, change, by="another")
    await words.nth(0).press("Enter")
    await page.get_by_role("alert").get_by_text("was changed by another").wait_for()
    await expect(words.nth(0)).to_have_value("harvest")
    await expect(words.nth(1)).to_have_value("ledger of mine")
    # The browser logs each answer that is not a success.
    assert all("409" in one for one in desk.complaints)
    desk.complaints.clear()
    await words.nth(0).press("Enter")
    await page.get_by_role("status").get_by_text("Saved.").wait_for()
    assert (await services.corrections.readings.page(document, 1)).read.words[1].text == "harvest"  # type: ignore[union-attr]  # it was read
    assert await page.evaluate("document.documentElement.scrollWidth <= innerWidth")
