"""A real Chromium, looking at a real web process over a real Valkey."""

import asyncio
import contextlib
import os
import shutil
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from pathlib import Path
from typing import Any

import httpx
import pytest
import pytest_asyncio
from playwright.async_api import Browser, BrowserContext, Page, async_playwright, expect

from service.services import open_services
from settings import load_settings
from tests.conftest import API_KEYS, DASHBOARD_USERS
from tests.dashboard.made import Maker
from tests.ports import free_port
from tests.prepared import started
from tests.waiting import LIMIT_S, wait_until_async

CHROMIUM_NAMES = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable")

OPERATOR = {"username": "admin", "password": "admin-password-1"}
VIEWER = {"username": "viewer", "password": "viewer-password-1"}

# Its own five seconds are less than a busy machine may need for one answer.
expect.set_options(timeout=LIMIT_S * 1000)

DESK = {"width": 1360, "height": 900}
PHONE = {"width": 360, "height": 780}
WALL = {"width": 3840, "height": 2160}


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """One loop for all of them: the browser is started once."""
    for item in items:
        if Path(__file__).parent in item.path.parents:
            item.add_marker(pytest.mark.browser)
            if pytest_asyncio.is_async_test(item):
                item.add_marker(pytest.mark.asyncio(loop_scope="session"), append=False)


@pytest.fixture(scope="package")
def chromium() -> str:
    """Path of a Chromium. Without one the tests are skipped; where CI=true that is a failure."""
    found = next((path for name in CHROMIUM_NAMES if (path := shutil.which(name))), None)
    if found is None:
        sentence = f"no Chromium: none of {', '.join(CHROMIUM_NAMES)} is installed"
        if os.environ.get("TESTS_IN_CI") == "true":
            pytest.fail(sentence)
        pytest.skip(sentence)
    return found


@pytest_asyncio.fixture(scope="package", loop_scope="session")
async def browser(chromium: str) -> AsyncIterator[Browser]:
    async with async_playwright() as playwright:
        started = await playwright.chromium.launch(executable_path=chromium, args=["--no-sandbox"])
        yield started
        await started.close()


@pytest.fixture(scope="package")
def portal_port() -> int:
    """Port of another website, whose pages may call the API."""
    return free_port()


@pytest.fixture(scope="package")
def environment(valkey: str, portal_port: int, tmp_path_factory: pytest.TempPathFactory) -> dict[str, str]:
    """The OFFLOAD_ variables that the web process and the jobs' maker share."""
    return {
        "OFFLOAD_CORS_ORIGINS": f"http://127.0.0.1:{portal_port}",
        "OFFLOAD_WEBHOOKS_ALLOW_PRIVATE": "true",
        "OFFLOAD_DATA_DIR": str(tmp_path_factory.mktemp("data")),
        "OFFLOAD_REDIS_URL": valkey,
        "OFFLOAD_API_KEYS": API_KEYS,
        "OFFLOAD_DASHBOARD_USERS": DASHBOARD_USERS,
    }


@pytest.fixture(scope="package")
def address(environment: dict[str, str], tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """Where a uvicorn process of its own serves the application.

    It ends with this folder's tests: its maintenance leader would meddle with those of others on the same queue server.
    """
    port = free_port()
    log = tmp_path_factory.mktemp("web") / "web.log"
    arguments = ["--factory", "dashboard.app:create_app", "--port", str(port)]
    with log.open("wb") as output:
        web = started("uvicorn", arguments, os.environ | environment, output)
    try:
        asyncio.run(wait_until_async(lambda: _answers(port) or web.poll() is not None))
        assert web.poll() is None, log.read_text()
        yield f"http://127.0.0.1:{port}"
    finally:
        web.terminate()
        web.wait(30)


@pytest_asyncio.fixture(loop_scope="session")
async def made(
    environment: dict[str, str], address: str, redis_url: str, monkeypatch: pytest.MonkeyPatch
) -> AsyncIterator[Maker]:
    """An empty queue server, and a maker of jobs."""
    for name, value in environment.items():
        monkeypatch.setenv(name, value)
    load_settings.cache_clear()
    async with open_services(load_settings()) as services:
        yield Maker(services)
    load_settings.cache_clear()


class Desk:
    """Opens pages as a user, and collects every complaint of the browser."""

    def __init__(self, browser: Browser, address: str) -> None:
        self.browser = browser
        self.address = address
        self.complaints: list[str] = []
        self.contexts: list[BrowserContext] = []

    async def open(self, path: str, user: dict[str, str] | None = OPERATOR, **more: Any) -> Page:
        options = {"viewport": DESK, "timezone_id": "Europe/Berlin"} | more
        context = await self.browser.new_context(http_credentials=user, base_url=self.address, **options)
        self.contexts.append(context)
        page = await context.new_page()
        page.on("console", lambda message: self.complaints.append(message.text) if message.type == "error" else None)
        page.on("pageerror", lambda error: self.complaints.append(str(error)))
        await page.goto(path)
        return page

    async def close(self) -> None:
        for context in self.contexts:
            await context.close()


@pytest_asyncio.fixture(loop_scope="session")
async def desk(browser: Browser, address: str, made: Maker) -> AsyncIterator[Desk]:
    """A desk to look from. The test fails when the browser complained, of our content policy for one."""
    opened = Desk(browser, address)
    yield opened
    await opened.close()
    assert opened.complaints == []


async def eventually(condition: Callable[[], Awaitable[bool]]) -> None:
    """Waits until the page is as told."""
    await wait_until_async(condition)


def _answers(port: int) -> bool:
    with contextlib.suppress(httpx.TransportError):
        return httpx.get(f"http://127.0.0.1:{port}/health/live").status_code == 200
    return False
