"""examples/portal: from a dropped file to the bar, the text and the mail, with a webhook worker and a mail server of its own."""

import base64
import contextlib
import os
import subprocess
import sys
from collections.abc import AsyncIterator, Iterator
from pathlib import Path

import httpx
import pytest
import pytest_asyncio
from axe_playwright_python.async_playwright import Axe
from playwright.async_api import Browser, Page, expect

from service.engine.store import Job
from tests.browser.conftest import PHONE
from tests.browser.test_pages import STANDARDS
from tests.dashboard.made import Maker
from tests.mail.servers import MailSink, serving
from tests.ocr.documents import text_pdf
from tests.waiting import wait_until_async

ROOT = Path(__file__).parents[2]

DROP = """
async ([name, base64]) => {
  const bytes = Uint8Array.from(atob(base64), (c) => c.charCodeAt(0));
  const dataTransfer = new DataTransfer();
  dataTransfer.items.add(new File([bytes], name));
  document.querySelector(".drop").dispatchEvent(new DragEvent("drop", { dataTransfer, bubbles: true, cancelable: true }));
}"""


@contextlib.contextmanager
def running(command: list[str], folder: Path, environment: dict[str, str], log: Path) -> Iterator[None]:
    """A Python module as a process of its own, ended at the end; its words are shown with those of a test that fails."""
    with log.open("wb") as output:
        process = subprocess.Popen(
            [sys.executable, "-m", *command], cwd=folder, env=os.environ | environment, stdout=output, stderr=output
        )
    try:
        yield
    finally:
        process.terminate()
        process.wait(30)
        print(log.read_text()[-4000:])


@pytest_asyncio.fixture(scope="module", loop_scope="session")
async def mails() -> AsyncIterator[MailSink]:
    async with serving() as sink:
        yield sink


@pytest_asyncio.fixture(scope="module", loop_scope="session")
async def portal(
    address: str, portal_port: int, mails: MailSink, tmp_path_factory: pytest.TempPathFactory
) -> AsyncIterator[str]:
    """Address of the portal, started as its README says."""
    folder = tmp_path_factory.mktemp("portal")
    url = f"http://127.0.0.1:{portal_port}"
    own = {
        "OFFLOAD_URL": address,
        "OFFLOAD_KEY": "acme-secret-key-1",
        "PORTAL_URL": url,
        "PORTAL_SMTP": f"127.0.0.1:{mails.port}",
        "PYTHONPATH": str(ROOT / "clients" / "python" / "src"),
    }
    serve = ["uvicorn", "--app-dir", str(ROOT / "examples" / "portal"), "--factory", "portal:create_app"]
    with running([*serve, "--port", str(portal_port)], folder, own, folder / "log"):
        async with httpx.AsyncClient(base_url=url) as client:
            await wait_until_async(lambda: answers(client))
        yield url


@pytest.fixture
def caller(environment: dict[str, str], made: Maker, tmp_path: Path) -> Iterator[None]:
    """A worker that calls webhooks."""
    with running(["arq", "tasks.workers.Webhooks"], ROOT, environment, tmp_path / "log"):
        yield


async def answers(client: httpx.AsyncClient) -> bool:
    try:
        return (await client.get("/")).status_code == 200
    except httpx.TransportError:
        return False


async def the_job(made: Maker) -> Job:
    """The one that the portal has asked for."""
    (job,) = await wait_until_async(lambda: queued(made))
    return job


async def queued(made: Maker) -> list[Job]:
    return (await made.store.list(type="pdf-ocr", state="queued")).jobs


@pytest_asyncio.fixture(loop_scope="session")
async def page(browser: Browser, portal: str, made: Maker) -> AsyncIterator[Page]:
    context = await browser.new_context(locale="en-GB")
    page = await context.new_page()
    complaints: list[str] = []
    page.on("pageerror", lambda error: complaints.append(str(error)))
    page.on("console", lambda line: complaints.append(line.text) if "Content Security" in line.text else None)
    await page.goto(portal)
    yield page
    await context.close()
    assert complaints == []


async def test_from_the_dropped_file_to_the_mail(
    page: Page, caller: None, address: str, made: Maker, mails: MailSink
) -> None:
    await page.get_by_label("Mail me when it is done").fill("ada@example.com")
    document = text_pdf(pages=2)[0]
    await page.evaluate(DROP, ["räum.pdf", base64.b64encode(document).decode()])
    await expect(page.get_by_role("heading", name="räum.pdf")).to_be_visible()
    job = await made.claimed(await the_job(made))
    await made.progressed(job, 50, "Processing page 1 of 2 (50%)", pages_processed=1, total_pages=2)
    await expect(page.get_by_role("progressbar", name="räum.pdf")).to_have_attribute(
        "aria-valuetext", "50 %, Page 1 of 2"
    )
    found = await Axe().run(page, options=STANDARDS)
    assert found.violations_count == 0, found.generate_report()
    await page.set_viewport_size(PHONE)
    assert await page.evaluate("document.documentElement.scrollWidth") <= PHONE["width"]
    files = {"text.txt": (b"Read <b>text</b>", "text/plain"), "searchable.pdf": (b"%PDF", "application/pdf")}
    await made.completed(job, files)
    await expect(page.get_by_label("Text")).to_have_text("Read <b>text</b>")
    async with page.expect_download() as downloading:
        await page.get_by_role("link", name="Searchable PDF").click()
    assert (await (await downloading.value).path()).read_bytes() == b"%PDF"
    await wait_until_async(lambda: bool(mails.caught))
    (mail,) = mails.caught
    assert (mail.recipient, mail.message["Subject"]) == ("ada@example.com", "Your document has been read")
    text = mail.message.get_content()
    (link,) = [word for word in text.split() if word.startswith(f"{address}/j/ticket_")]
    assert "räum.pdf has been read." in text
    await page.goto(link)
    await expect(page.get_by_role("status").first).to_have_text("It is done.")


async def test_what_is_refused_is_said_in_the_services_own_words(page: Page, made: Maker) -> None:
    text = {"name": "notes.txt", "mimeType": "text/plain", "buffer": b"only words"}
    await page.locator("input[type=file]").set_input_files([text])  # type: ignore[list-item]  # a plain dict in the place of a FilePayload
    await page.get_by_role("button", name="Read it").click()
    await expect(page.get_by_role("alert")).to_contain_text("notes.txt")
    assert await queued(made) == []


async def test_a_call_that_offload_has_not_signed_is_refused(portal: str, made: Maker, mails: MailSink) -> None:
    forged = {"webhook-id": "msg_1", "webhook-timestamp": "1", "webhook-signature": "v1,AAAA"}
    before = len(mails.caught)
    async with httpx.AsyncClient(base_url=portal) as client:
        answer = await client.post("/done/1", headers=forged, content=b'{"data": {"id": "x"}}')
    assert answer.status_code == 401 and answer.json()["detail"].startswith("Not a message of Offload")
    assert len(mails.caught) == before
