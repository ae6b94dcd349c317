"""A picture and a PDF are uploaded, a real worker draws them, and the list shows both without a reload."""

import io
import os
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from PIL import Image
from playwright.async_api import Page

from tests.browser.conftest import Desk, eventually
from tests.dashboard.made import Maker
from tests.prepared import Process, started

SAMPLE = Path(__file__).resolve().parents[2] / "samples" / "scan.pdf"
HOSTILE = "<img src=x onerror=\"document.title='pwned'\">.png"


@pytest.fixture
def start_worker(environment: dict[str, str], tmp_path: Path) -> Iterator[Callable[[], None]]:
    """Starts `arq tasks.workers.Thumbnails`, ended at the end."""
    running: list[Process] = []
    log = tmp_path / "worker.log"

    def start() -> None:
        with log.open("wb") as output:
            running.append(started("arq", ["tasks.workers.Thumbnails"], os.environ | environment, output))

    yield start
    for worker in running:
        worker.kill()
        worker.wait()
        print(log.read_text()[-4000:])


async def upload(page: Page, name: str, media_type: str, data: bytes) -> None:
    await page.goto("/admin/queues")
    file = {"name": name, "mimeType": media_type, "buffer": data}
    await page.get_by_label("PDF or image").set_input_files(file)  # type: ignore[arg-type]  # a FilePayload
    await page.get_by_role("button", name="Upload and start OCR").click()
    await page.get_by_text("The document is in").wait_for()


def png(width: int, height: int) -> bytes:
    file = io.BytesIO()
    Image.linear_gradient("L").resize((width, height)).save(file, "PNG")
    return file.getvalue()


async def painted(page: Page, name: str) -> list[int]:
    """Width and height of the picture next to a name; zeros until the browser has decoded it."""
    row = page.locator("tr[data-row]", has_text=name).first
    sides = (
        "row => { const seen = row.querySelector('img'); return [seen?.naturalWidth ?? 0, seen?.naturalHeight ?? 0] }"
    )
    found: list[int] = await row.evaluate(sides)
    return found


async def test_uploaded_documents_are_seen(desk: Desk, made: Maker, start_worker: Callable[[], None]) -> None:
    page = await desk.open("/admin/queues")
    await upload(page, HOSTILE, "image/png", png(800, 400))
    await upload(page, "A scan.pdf", "application/pdf", SAMPLE.read_bytes())
    await page.get_by_role("link", name="Documents").click()
    assert await painted(page, HOSTILE) == await painted(page, "A scan.pdf") == [0, 0]
    await page.get_by_role("button", name="Make the picture of A scan.pdf").click()
    await page.locator("tr", has_text="A scan.pdf").get_by_text("in the making").wait_for()
    await page.get_by_role("button", name=f"Make the picture of {HOSTILE}").click()
    await page.evaluate("window.stillHere = true")
    start_worker()

    async def both() -> bool:
        return min(await painted(page, HOSTILE) + await painted(page, "A scan.pdf")) > 0

    await eventually(both)
    assert await painted(page, HOSTILE) == [150, 75]
    assert max(await painted(page, "A scan.pdf")) == 150
    assert await page.evaluate("window.stillHere"), "shown without a reload"
    assert await page.title() == "Documents · Offload"
    await page.get_by_role("link", name="A scan.pdf").click()
    await page.get_by_role("heading", name="A scan.pdf").wait_for()
    large = page.get_by_role("img", name="600 pixels at most")
    await eventually(lambda: large.evaluate("seen => seen.naturalHeight === 600"))


@pytest.mark.parametrize("scripts", [True, False], ids=["with scripts", "without scripts"])
async def test_a_document_is_found_and_deleted(desk: Desk, made: Maker, scripts: bool) -> None:
    page = await desk.open("/admin/queues", java_script_enabled=scripts)
    name = f"going {'with' if scripts else 'without'} scripts.png"
    await upload(page, name, "image/png", png(40, 40))
    await page.get_by_role("link", name="Documents").click()
    await page.get_by_label("Name").fill(name[:12])
    await page.get_by_role("button", name="Filter").click()
    await page.get_by_role("link", name=name).click()
    await page.get_by_role("button", name="Delete…").click()
    await page.get_by_role("button", name="Delete", exact=True).click()
    await page.locator(".notice", has_text="The document is deleted.").wait_for()
    assert await page.get_by_role("link", name=name).count() == 0
