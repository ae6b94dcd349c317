"""The API behind a real HTTP server on loopback, and clients of two owners."""

import shutil
from collections.abc import AsyncIterator, Iterator
from dataclasses import dataclass
from pathlib import Path

import httpx
import pytest
from litestar import Litestar

from service.services import Services
from tests.api.apart import apart
from tests.api.app import create_app
from tests.api.hands import Hands
from tests.conftest import API_KEYS
from tests.web import served_at

ACME, GLOBEX = "acme-secret-key-1", "globex-secret-key-2"


@dataclass
class Served:
    """A running server: its address and, since it runs in this very process, its parts."""

    url: str
    app: Litestar

    @property
    def services(self) -> Services:
        services: Services = self.app.state["services"]
        return services


@pytest.fixture(scope="session")
def app() -> Litestar:
    """Made once: its routes are the same for every test. What it serves from is opened again each time it starts."""
    return create_app()


@pytest.fixture
async def served(app: Litestar, settings_env: dict[str, str]) -> AsyncIterator[Served]:
    async with served_at(app) as url:
        yield Served(url, app)


@pytest.fixture(scope="module")
def served_apart(valkey: str, sqlite_template: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """The address of a server in a process of its own, which takes files of a megabyte at most."""
    data = tmp_path_factory.mktemp("apart")
    shutil.copy(sqlite_template, data)
    environment = {
        "OFFLOAD_DATA_DIR": str(data),
        "OFFLOAD_REDIS_URL": valkey,
        "OFFLOAD_API_KEYS": API_KEYS,
        "OFFLOAD_MAX_UPLOAD_BYTES": "1000000",
    }
    with apart(environment, data / "server.log") as server:
        yield server.url


@pytest.fixture
async def acme(served: Served) -> AsyncIterator[httpx.AsyncClient]:
    async with _client(served, f"Bearer {ACME}") as client:
        yield client


@pytest.fixture
async def globex(served: Served) -> AsyncIterator[httpx.AsyncClient]:
    async with _client(served, f"Bearer {GLOBEX}") as client:
        yield client


@pytest.fixture
async def anonymous(served: Served) -> AsyncIterator[httpx.AsyncClient]:
    async with _client(served) as client:
        yield client


def _client(served: Served, authorization: str | None = None) -> httpx.AsyncClient:
    headers = {"Authorization": authorization} if authorization else {}
    return httpx.AsyncClient(base_url=served.url, headers=headers, timeout=120)


@pytest.fixture
def hands(served: Served) -> Hands:
    """Does jobs by hand, as a worker would, without any worker."""
    return Hands(served.services)
