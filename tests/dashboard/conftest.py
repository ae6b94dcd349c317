"""The dashboard behind a real HTTP server on loopback, over a real Valkey, and somebody to look at it."""

import asyncio
import io
import re
from collections.abc import AsyncIterator

import pytest
import uvicorn
from httpx import AsyncClient, BasicAuth, Response
from litestar import Litestar
from PIL import Image

from dashboard.app import create_app
from settings import Settings, load_settings
from tests.dashboard.made import Maker
from tests.waiting import wait_until_async

OPERATOR = BasicAuth("admin", "admin-password-1")
VIEWER = BasicAuth("viewer", "viewer-password-1")

Client = AsyncClient


@pytest.fixture
def settings(settings_env: dict[str, str]) -> Settings:
    return load_settings()


@pytest.fixture
def app(settings: Settings) -> Litestar:
    return create_app(settings)


@pytest.fixture
async def address(app: Litestar) -> AsyncIterator[str]:
    """Where the dashboard is served, by this very process."""
    server = uvicorn.Server(uvicorn.Config(app, host="127.0.0.1", port=0, log_level="warning"))
    running = asyncio.create_task(server.serve())
    await wait_until_async(lambda: server.started or running.done())
    yield f"http://127.0.0.1:{server.servers[0].sockets[0].getsockname()[1]}"
    server.should_exit = True
    await running


@pytest.fixture
def made(address: str, app: Litestar) -> Maker:
    return Maker(app.state["services"])


@pytest.fixture
async def anybody(address: str) -> AsyncIterator[Client]:
    """A browser in which nobody has signed in."""
    async with AsyncClient(base_url=address) as client:
        yield client


@pytest.fixture
async def operator(anybody: Client) -> Client:
    anybody.auth = OPERATOR
    return anybody


@pytest.fixture
async def viewer(anybody: Client) -> Client:
    anybody.auth = VIEWER
    return anybody


async def token(client: Client) -> str:
    """The form token of a page, as a form would send it."""
    page = await client.get("/admin/queues")
    found = re.search(r'name="csrf" value="([^"]+)"', page.text)
    assert found, "the page has no form with a token"
    return found[1]


async def act(client: Client, path: str, **fields: str) -> Response:
    """Press a button: a POST with the token of the page."""
    return await client.post(path, data={"csrf": await token(client), **fields})


@pytest.fixture
def scan() -> bytes:
    """The smallest picture that is a document."""
    file = io.BytesIO()
    Image.new("RGB", (8, 8), "white").save(file, "PNG")
    return file.getvalue()
