"""The dashboard behind a real HTTP server on loopback, over a real Valkey, and users to look at it."""

import io
import re
from collections.abc import AsyncIterator, Iterator
from pathlib import Path

import pytest
import pytest_asyncio
from httpx import AsyncClient, BasicAuth, Response
from litestar import Litestar
from PIL import Image

from dashboard.app import create_app
from dashboard.dependencies import shared_figures
from settings import Settings
from tests.conftest import API_KEYS, DASHBOARD_USERS
from tests.dashboard.made import Maker
from tests.databases import new_database
from tests.waiting import LIMIT_S
from tests.web import served_at

OPERATOR = BasicAuth("admin", "admin-password-1")
VIEWER = BasicAuth("viewer", "viewer-password-1")

Client = AsyncClient


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """One loop for all of them, so that the server is started once."""
    for item in items:
        if Path(__file__).parent == item.path.parent and pytest_asyncio.is_async_test(item):
            item.add_marker(pytest.mark.asyncio(loop_scope="session"), append=False)


@pytest.fixture(scope="package")
def settings(
    request: pytest.FixtureRequest, valkey: str, tmp_path_factory: pytest.TempPathFactory, database_kind: str
) -> Iterator[Settings]:
    data = tmp_path_factory.mktemp("data")
    with new_database(request, database_kind, data) as url:
        yield Settings(
            data_dir=data,
            database_url=url,
            redis_url=valkey,
            given_api_keys=API_KEYS,  # type: ignore[arg-type]  # parsed as from the environment
            given_dashboard_users=DASHBOARD_USERS,  # type: ignore[arg-type]  # as above
        )


@pytest_asyncio.fixture(scope="package", loop_scope="session")
async def served(settings: Settings) -> AsyncIterator[tuple[Litestar, str]]:
    """The application, and where it is served, by this very process."""
    app = create_app(settings)
    async with served_at(app) as url:
        yield app, url


@pytest_asyncio.fixture(loop_scope="session")
async def made(served: tuple[Litestar, str], redis_url: str) -> Maker:
    """An empty queue server, figures that remember nothing of the test before, and a maker of jobs."""
    app, _ = served
    services = app.state["services"]
    app.state.update(shared_figures(services))
    return Maker(services)


@pytest_asyncio.fixture(loop_scope="session")
async def anybody(served: tuple[Litestar, str], made: Maker) -> AsyncIterator[Client]:
    """A browser without a signed-in user."""
    async with AsyncClient(base_url=served[1], timeout=LIMIT_S) as client:
        yield client


@pytest_asyncio.fixture(loop_scope="session")
async def operator(anybody: Client) -> Client:
    anybody.auth = OPERATOR
    return anybody


@pytest_asyncio.fixture(loop_scope="session")
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
