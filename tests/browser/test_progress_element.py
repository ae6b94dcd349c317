"""<offload-progress> in a page of another website."""

import asyncio
import re
import time
from collections.abc import AsyncIterator
from typing import Any

import pytest_asyncio
from axe_playwright_python.async_playwright import Axe
from playwright.async_api import Browser, BrowserContext, Page, WebSocketRoute, expect

from tests.browser.test_pages import STANDARDS
from tests.dashboard.made import Maker

DOCUMENT = """<!DOCTYPE html>
<html lang="{lang}">
<head><meta charset="utf-8"><title>Portal</title><link rel="icon" href="data:,">
<script type="module" src="{offload}/static/client/offload-client.js"></script></head>
<body><main><h1>Portal</h1><offload-progress {attributes}></offload-progress></main></body></html>"""


class Portal:
    """A website of its own origin, whose one page holds the element and forbids nearly everything else."""

    def __init__(self, context: BrowserContext, address: str, port: int, made: Maker) -> None:
        self.context, self.address, self.made = context, address, made
        self.url = f"http://127.0.0.1:{port}/"
        self.html = ""
        self.complaints: list[str] = []

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """Answer one request, whatever it asks for. (A page that Playwright makes up has no address, and may not call any.)"""
        await reader.readuntil(b"\r\n\r\n")
        body, socket = self.html.encode(), self.address.replace("http", "ws", 1)
        policy = f"default-src 'none'; script-src {self.address}; connect-src {self.address} {socket}; img-src data:"
        head = f"HTTP/1.1 200 OK\r\nContent-Type: text/html\r\nContent-Length: {len(body)}\r\nConnection: close\r\n"
        writer.write(f"{head}Content-Security-Policy: {policy}\r\n\r\n".encode() + body)
        await writer.drain()
        writer.close()

    def ticket(self, job_id: str, seconds: int = 600) -> str:
        return self.made.services.tickets.issue(job_id, int(time.time()) + seconds)

    async def page(self, job_id: str, *, ticket: str = "", lang: str = "en", attributes: str = "") -> Page:
        """A page that is ready to be opened by `open`."""
        page = await self.context.new_page()
        page.on("console", lambda line: self.complaints.append(line.text) if line.type == "error" else None)
        page.on("pageerror", lambda error: self.complaints.append(str(error)))
        given = attributes or f'job="{job_id}" ticket="{ticket or self.ticket(job_id)}" label="räum.pdf"'
        self.html = DOCUMENT.format(lang=lang, offload=self.address, attributes=given)
        await page.add_init_script(
            "window.seen = []; for (const name of ['offload-update', 'offload-end', 'offload-error'])"
            " addEventListener(name, (event) => seen.push([name, event.detail.status ?? event.detail.name]))"
        )
        return page

    async def open(self, job_id: str, **more: Any) -> Page:
        page = await self.page(job_id, **more)
        await page.goto(self.url)
        return page


@pytest_asyncio.fixture(loop_scope="session")
async def portal(browser: Browser, address: str, portal_port: int, made: Maker) -> AsyncIterator[Portal]:
    context = await browser.new_context(locale="en-GB")
    opened = Portal(context, address, portal_port, made)
    async with await asyncio.start_server(opened.serve, "127.0.0.1", portal_port):
        yield opened
        await context.close()
    print("the browser said:", *opened.complaints, sep="\n")


async def test_from_the_queue_to_the_links(portal: Portal, made: Maker) -> None:
    job_id = await made.queued()
    page = await portal.page(job_id)
    sockets: list[str] = []
    page.on("websocket", lambda socket: sockets.append(socket.url))
    await page.goto(portal.url)
    bar, note = page.get_by_role("progressbar", name="räum.pdf"), page.get_by_role("status")
    await expect(note).to_have_text("Waiting for its turn.")
    job = await made.claimed(await made.store.present(job_id))
    await made.progressed(job, 67, "Processing page 134 of 200 (67%)", pages_processed=134, total_pages=200)
    await expect(bar).to_have_attribute("aria-valuenow", "67")
    await expect(bar).to_have_attribute("aria-valuetext", "67 %, Page 134 of 200")
    await expect(page.get_by_text("Page 134 of 200")).to_be_visible()
    assert await bar.evaluate("bar => bar.firstElementChild.style.inlineSize") == "67%"
    assert (await Axe().run(page, options=STANDARDS)).violations_count == 0
    await made.completed(job, {"text.txt": (b"read", "text/plain"), "odd.bin": (b"x" * 1234, "application/x-odd")})
    await expect(note).to_have_text("Done.")
    await expect(page.locator("offload-progress")).to_have_attribute("state", "completed")
    async with page.expect_download() as downloading:
        await page.get_by_role("link", name="Text").click()
    assert (await (await downloading.value).path()).read_bytes() == b"read"
    await expect(page.get_by_text("1.2 kB")).to_be_visible()
    assert (await page.evaluate("seen"))[-1] == ["offload-end", "completed"]
    assert len(sockets) == 1 and sockets[0].startswith("ws://") and "ticket=ticket_" in sockets[0]
    assert portal.complaints == []


async def test_a_failure_is_a_sentence_in_the_pages_language(portal: Portal, made: Maker) -> None:
    job = await made.active()
    await made.failed(job, "<b>the page is blank")
    page = await portal.open(job.id, lang="de")
    await expect(page.get_by_role("status")).to_have_text("Fehlgeschlagen. <b>the page is blank.")
    assert await page.get_by_text("the page is blank").get_attribute("lang") == "en"


async def test_a_connection_that_breaks_is_begun_again(portal: Portal, made: Maker) -> None:
    job = await made.active()
    page = await portal.page(job.id)
    routes: list[WebSocketRoute] = []

    async def through(route: WebSocketRoute) -> None:
        route.connect_to_server()
        routes.append(route)

    await page.route_web_socket(re.compile("/events"), through)
    await page.goto(portal.url)
    await expect(page.get_by_role("status")).to_have_text("In progress.")
    await page.evaluate(
        "window.notes = []; new MutationObserver(() => notes.push(document.querySelector('offload-progress').shadowRoot"
        ".querySelector('[part=note]').textContent.trim())).observe(document.querySelector('offload-progress').shadowRoot,"
        " { subtree: true, childList: true, characterData: true })"
    )
    await routes[0].close(code=1012)
    await made.progressed(job, 40, "Halfway nearly")
    await expect(page.get_by_text("Halfway nearly")).to_be_visible()
    await expect(page.get_by_role("status")).to_have_text("In progress.")
    assert "No connection. Trying again." in await page.evaluate("notes")
    assert len(routes) >= 2


async def test_where_websockets_do_not_get_through_events_do(portal: Portal, made: Maker) -> None:
    job = await made.active()
    page = await portal.page(job.id)
    await page.route_web_socket(re.compile("/events"), lambda route: route.close())
    async with page.expect_request(lambda one: one.method == "GET" and one.url.endswith("/events")) as requested:
        await page.goto(portal.url)
    assert (await (await requested.value).all_headers())["accept"] == "text/event-stream"
    await made.progressed(job, 40, "Halfway nearly")
    await expect(page.get_by_text("Halfway nearly")).to_be_visible()
    await made.completed(job)
    await expect(page.get_by_role("status")).to_have_text("Done.")


async def test_another_ticket_goes_on_where_one_has_expired(portal: Portal, made: Maker) -> None:
    job = await made.active()
    page = await portal.open(job.id, ticket=portal.ticket(job.id, -1))
    await expect(page.get_by_role("status")).to_have_text(
        "The permission to follow this job has expired or is not valid."
    )
    assert (await page.evaluate("seen"))[-1] == ["offload-error", "NotAllowed"]
    await page.locator("offload-progress").evaluate("(e, t) => e.setAttribute('ticket', t)", portal.ticket(job.id))
    await expect(page.get_by_role("status")).to_have_text("In progress.")


async def test_what_cannot_be_followed_says_so(portal: Portal, made: Maker) -> None:
    page = await portal.open("", attributes='job="x"')
    await expect(page.get_by_role("status")).to_have_text("<offload-progress> needs the attributes job and ticket.")
    job_id = await made.completed(await made.active())
    await made.services.jobs.delete(job_id)
    page = await portal.open(job_id)
    await expect(page.get_by_role("status")).to_have_text("There is no such job, or it has been removed.")
