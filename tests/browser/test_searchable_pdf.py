"""searchable.pdf in Chromium's own viewer: its text is selected, copied, and found where it stands."""

from collections.abc import AsyncIterator
from io import BytesIO
from pathlib import Path

import numpy as np
import pytest
import pytest_asyncio
from PIL import Image
from playwright.async_api import Browser, BrowserContext, Page

from tasks.ocr.searchable import write_searchable
from tasks.ocr.words import PageText, Word, encode
from tests.ocr import documents
from tests.waiting import wait_until_async

COLOURED = 30
"""Difference of a pixel's colours: a scan and the viewer round it are grey, what it marks is not."""

TOOLS_LEFT, TOOLS_ABOVE = 260, 60
"""Pixels of the viewer's own, left of and above the page."""


@pytest.fixture(scope="module")
def searchable(tmp_path_factory: pytest.TempPathFactory) -> str:
    """Address of a scan over which two words have been laid, "harbour" left of "ledger"."""
    folder = tmp_path_factory.mktemp("searchable")
    (folder / "scan.pdf").write_bytes(documents.scan_pdf()[0])
    words = [
        Word("harbour", (100, 200, 160, 214), 0.9, "ocr"),
        Word("ledger", (170, 200, 215, 214), 0.9, "ocr"),
    ]
    (folder / "1.json").write_bytes(encode(PageText(1, 595.2, 842.04, "ocr", words)))
    write_searchable(folder / "scan.pdf", [folder / "1.json"], folder / "searchable.pdf")
    return (folder / "searchable.pdf").as_uri()


@pytest_asyncio.fixture(loop_scope="session")
async def context(browser: Browser) -> AsyncIterator[BrowserContext]:
    context = await browser.new_context(viewport={"width": 1280, "height": 720})
    yield context
    await context.close()


async def test_its_text_is_selected_and_copied_in_the_viewer(
    context: BrowserContext, searchable: str, tmp_path: Path
) -> None:
    """By hand: a click on the page, select all, copy, and paste elsewhere."""
    viewer, notes = await context.new_page(), await context.new_page()
    (tmp_path / "notes.html").write_text("<textarea></textarea>")
    await notes.goto((tmp_path / "notes.html").as_uri())
    await viewer.goto(searchable)

    async def pasted() -> bool:
        await viewer.bring_to_front()
        await viewer.mouse.click(700, 500)
        for keys in ("Control+a", "Control+c"):
            await viewer.keyboard.press(keys)
        await notes.bring_to_front()
        await notes.fill("textarea", "")
        await notes.focus("textarea")
        await notes.keyboard.press("Control+v")
        return (await notes.input_value("textarea")).split() == ["harbour", "ledger"]

    await wait_until_async(pasted)


async def test_a_word_is_found_in_the_viewer_where_it_stands(context: BrowserContext, searchable: str) -> None:
    """By a text fragment in the address, which the viewer looks for and marks."""
    marks = {}
    for word in ("harbour", "ledger"):
        page = await context.new_page()
        await page.goto(f"{searchable}#:~:text={word}")
        await wait_until_async(lambda page=page: _mark(page))
        marks[word] = await _mark(page)
    (left, top, right, _), (left_2, top_2, right_2, _) = marks["harbour"], marks["ledger"]
    scale = (right - left) / 60
    assert top_2 == pytest.approx(top, abs=2)
    assert left_2 - left == pytest.approx(70 * scale, abs=4)
    assert right_2 - left_2 == pytest.approx(45 * scale, abs=4)


async def _mark(page: Page) -> tuple[int, int, int, int] | None:
    """Left, top, right and bottom of what is coloured on the page's grey picture."""
    shot = np.asarray(Image.open(BytesIO(await page.screenshot())).convert("RGB")).astype(int)
    shot[:TOOLS_ABOVE] = shot[:, :TOOLS_LEFT] = 0
    ys, xs = np.nonzero(shot.max(axis=2) - shot.min(axis=2) > COLOURED)
    return (int(xs.min()), int(ys.min()), int(xs.max()), int(ys.max())) if len(xs) else None
