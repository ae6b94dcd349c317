"""The job page on a real browser: its log that follows, its previews, its last runs, and its work done again."""

import io
from collections.abc import AsyncIterator

import msgspec
from axe_playwright_python.async_playwright import Axe
from PIL import Image, ImageDraw
from playwright.async_api import Page, expect

from service.engine.job_files import checkpoint_path
from service.engine.store import Job, LogLine
from service.lib.clock import now_ms
from tasks.csv_export import Export
from tasks.ocr.pages import checkpoint_name
from tasks.ocr.words import PageText, Word, encode
from tasks.sdk.types import REGISTRY
from tests.browser.conftest import PHONE, VIEWER, Desk, eventually
from tests.browser.test_pages import STANDARDS
from tests.dashboard.made import Anything, Maker


async def logged(made: Maker, job: Job, first: int, last: int, level: str = "info", **fields: str) -> None:
    """Lines `first` to `last`, as a task's run writes them."""
    rows = [LogLine(now_ms() + n, level, 1, f"line {n}", {"page": str(n)} | fields) for n in range(first, last + 1)]
    await made.store.logged(job.id, [msgspec.json.encode(row) for row in rows])


async def read_document(made: Maker, pages: int = 2) -> str:
    """A document of some pages that was read: its job's id."""
    sheets = [Image.new("RGB", (595, 842), "white") for _ in range(pages)]
    for number, sheet in enumerate(sheets, 1):
        ImageDraw.Draw(sheet).text((60, 80), f"Page {number} of a contract", fill="black")
    file = io.BytesIO()
    sheets[0].save(file, "PDF", save_all=True, append_images=sheets[1:])

    async def chunks() -> AsyncIterator[bytes]:
        yield file.getvalue()

    document = await made.services.files.upload(chunks(), owner="acme", name="contract.pdf")
    job = await made.active(payload=Anything(file_id=document.file_id))
    for number in range(1, pages + 1):
        word = Word("Page", (60, 80, 90, 92), 0.97, "ocr")
        page = PageText(number, 595, 842, "ocr", [word], f"Page {number} of a contract", 0.97, engine="easyocr")
        await made.services.storage.put(checkpoint_path(job.id, checkpoint_name(number)), encode(page))
    await made.progressed(job, 99, "Text assembled", total_pages=pages, pages_processed=pages)
    return await made.completed(job, {"text.txt": (b"Page 1 of a contract\n", "text/plain")}, {"pages": pages})


async def at_the_end(page: Page) -> bool:
    return bool(await page.locator("[data-follow]").evaluate("l => l.scrollHeight - l.scrollTop - l.clientHeight < 24"))


async def test_the_log_follows_until_the_reader_scrolls_up_and_then_holds_still(desk: Desk, made: Maker) -> None:
    job = await made.active()
    await logged(made, job, 1, 150)
    page = await desk.open(f"/admin/jobs/{job.id}")
    await page.evaluate("window.stillHere = true")
    assert await at_the_end(page)
    await logged(made, job, 151, 155)
    await page.get_by_text("line 155", exact=True).wait_for()
    assert await at_the_end(page)
    await page.locator("[data-follow]").evaluate("l => { l.scrollTop = 400 }")
    seen = page.get_by_text("line 30", exact=True)
    before = await seen.bounding_box()
    await logged(made, job, 156, 160)
    await page.get_by_text("line 160", exact=True).wait_for()
    after = await seen.bounding_box()
    assert before and after and before["y"] == after["y"]
    assert await page.evaluate("window.stillHere")


async def test_a_line_that_is_open_stays_open_and_levels_change_without_a_reload(desk: Desk, made: Maker) -> None:
    job = await made.active()
    await logged(made, job, 1, 1, level="error", traceback="File one\nFile two")
    page = await desk.open(f"/admin/jobs/{job.id}")
    await page.evaluate("window.stillHere = true")
    await page.locator(".log summary").click()
    await logged(made, job, 2, 3)
    await page.get_by_text("line 3", exact=True).wait_for()
    assert await page.get_by_text("File two").is_visible()
    await page.get_by_role("link", name="Errors", exact=True).last.click()
    await page.get_by_text("line 3", exact=True).wait_for(state="detached")
    assert page.url.endswith("?level=error")
    await logged(made, job, 4, 4, level="error")
    await page.get_by_text("line 4", exact=True).wait_for()
    assert await page.evaluate("window.stillHere") and await page.get_by_text("line 2", exact=True).count() == 0


async def test_without_scripts_the_log_is_a_page_with_its_levels(desk: Desk, made: Maker) -> None:
    job = await made.active()
    await logged(made, job, 1, 2)
    page = await desk.open(f"/admin/jobs/{job.id}", java_script_enabled=False)
    await page.get_by_role("link", name="Warnings").click()
    await expect(page.get_by_text("Nothing of this level.")).to_be_visible()
    await page.get_by_role("link", name="All", exact=True).click()
    await expect(page.get_by_text("line 2", exact=True)).to_be_visible()


async def test_a_page_is_turned_with_its_picture_and_the_address_follows(desk: Desk, made: Maker) -> None:
    job_id = await read_document(made)
    page = await desk.open(f"/admin/jobs/{job_id}")
    await page.evaluate("window.stillHere = true")
    await expect(page.locator(".page-text")).to_have_text("Page 1 of a contract")
    await page.get_by_role("link", name="Next").click()
    await page.locator(".page-text", has_text="Page 2 of a contract").wait_for()
    picture = page.get_by_alt_text("Page 2 of the document")
    await eventually(lambda: picture.evaluate("i => i.complete && i.naturalHeight === 1200"))
    assert page.url.endswith("?page=2") and await page.evaluate("window.stillHere")
    await page.reload()
    await expect(page.locator(".page-text")).to_have_text("Page 2 of a contract")


async def test_pages_are_turned_without_scripts_too(desk: Desk, made: Maker) -> None:
    page = await desk.open(f"/admin/jobs/{await read_document(made)}", java_script_enabled=False)
    await page.get_by_role("link", name="Next").click()
    await expect(page.locator(".page-text")).to_have_text("Page 2 of a contract")
    await page.get_by_label("Page", exact=True).fill("1")
    await page.get_by_role("button", name="Go").click()
    await expect(page.locator(".page-text")).to_have_text("Page 1 of a contract")


async def test_a_run_in_the_drawing_leads_to_its_job(desk: Desk, made: Maker) -> None:
    failed = await made.failed(await made.active())
    page = await desk.open(f"/admin/jobs/{await made.completed(await made.active())}")
    await page.locator(f'.runs a[href="/admin/jobs/{failed}"]').click()
    await page.wait_for_url(f"**/admin/jobs/{failed}")
    await page.get_by_text("As a table").click()
    await expect(page.get_by_text(f"{failed} (this job)")).to_be_visible()


async def test_a_failed_job_is_edited_and_retried_and_a_copy_is_run(desk: Desk, made: Maker) -> None:
    payload = Export(dataset="jobs", columns=["job_id", "type"])
    job_id = await made.failed(await made.active(REGISTRY["csv-export"], payload=payload))
    page = await desk.open(f"/admin/jobs/{job_id}")
    await page.get_by_role("link", name="Edit and retry").click()
    await page.get_by_label("Columns").fill("job_id, nonsense")
    await page.get_by_role("button", name="Queue it").click()
    await expect(page.locator("#wrong-columns")).to_contain_text("nonsense")
    desk.complaints.clear()  # the browser reports the 400 that was asked for
    await page.get_by_label("Columns").fill("job_id")
    await page.get_by_role("button", name="Queue it").click()
    await page.get_by_text("The changed job is queued").wait_for()
    edited = await page.locator("h1").inner_text()
    assert (await made.store.present(edited)).payload["columns"] == ["job_id"]
    await page.get_by_role("link", name=job_id).click()
    await page.get_by_role("button", name="Run a copy…").click()
    await page.get_by_role("button", name="Run a copy", exact=True).click()
    await page.get_by_text("A copy is queued").wait_for()
    copy = await page.locator("h1").inner_text()
    assert (await made.store.present(copy)).payload["columns"] == ["job_id", "type"]


async def test_the_job_page_with_everything_on_it_is_fit_for_everybody(desk: Desk, made: Maker) -> None:
    job_id = await read_document(made)
    job = await made.store.present(job_id)
    await logged(made, job, 1, 3, level="warning", why="a\nb")
    await made.failed(await made.active())
    for user in ({}, {"user": VIEWER}):
        page = await desk.open(f"/admin/jobs/{job_id}", reduced_motion="reduce", **user)
        for theme in ("light", "dark"):
            await page.emulate_media(color_scheme=theme)
            found = await Axe().run(page, options=STANDARDS)
            assert found.response["violations"] == [], f"{theme}: {found.generate_report()}"
        await page.set_viewport_size(PHONE)
        assert await page.evaluate("document.documentElement.scrollWidth") <= PHONE["width"]
