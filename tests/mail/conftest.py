"""A database of either kind with users in it, mail servers, and workers of the e-mail queue."""

from collections.abc import AsyncIterator, Iterator
from dataclasses import dataclass
from pathlib import Path

import httpx
import pytest
import pytest_asyncio
from litestar import Litestar

from service.database import Database, User
from service.services import Services
from tests.api.app import create_app
from tests.web import served_at
from tests.workers import Start, workers


def user(number: int, **changes: object) -> User:
    """A user like the seeded ones."""
    values: dict[str, object] = {
        "email": f"user{number}@example.com", "name": f"Ada {number}", "active": True, "locale": "en", "plan": "free",
        "digest": False,
    }  # fmt: skip
    return User(id=number, **{**values, **changes})


async def add_users(database: Database, *users: User) -> None:
    async with database.writing() as session:
        session.add_all(users)


@dataclass
class Served:
    """The API on loopback, in this process, and its parts; with the pages, where a module has an `app` of its own."""

    url: str
    app: Litestar

    @property
    def services(self) -> Services:
        services: Services = self.app.state["services"]
        return services

    def client(self, key: str | None) -> httpx.AsyncClient:
        headers = {"Authorization": f"Bearer {key}"} if key else {}
        return httpx.AsyncClient(base_url=self.url, headers=headers, timeout=60)


@pytest.fixture(scope="session")
def app() -> Litestar:
    """Made once: its routes are the same for every test. What it serves from is opened again each time it starts."""
    return create_app()


@pytest_asyncio.fixture
async def served(app: Litestar, settings_env: dict[str, str]) -> AsyncIterator[Served]:
    async with served_at(app) as url:
        yield Served(url, app)


@pytest_asyncio.fixture
async def acme(served: Served) -> AsyncIterator[httpx.AsyncClient]:
    async with served.client("acme-secret-key-1") as client:
        yield client


@pytest_asyncio.fixture
async def globex(served: Served) -> AsyncIterator[httpx.AsyncClient]:
    async with served.client("globex-secret-key-2") as client:
        yield client


@pytest_asyncio.fixture
async def anonymous(served: Served) -> AsyncIterator[httpx.AsyncClient]:
    async with served.client(None) as client:
        yield client


@pytest.fixture
def start_worker(settings_env: dict[str, str], tmp_path: Path) -> Iterator[Start]:
    """Starts workers of the e-mail queue; ends what is left of them."""
    with workers("tasks.workers.EmailSender", tmp_path, settings_env) as start:
        yield start
