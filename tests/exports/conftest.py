"""Both databases, filled with rows that are hard to export, and a real csv-export worker."""

from collections.abc import AsyncIterator, Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest
import pytest_asyncio

from service.database import Database, open_database
from service.engine.enqueuer import Enqueuer
from service.engine.job_files import JobFiles
from service.engine.redis.client import connect
from service.engine.store import Store
from service.lib.storage.object_storage import Storage
from settings import load_settings
from tests.workers import Start, workers


@pytest_asyncio.fixture
async def database(settings_env: dict[str, str]) -> AsyncIterator[Database]:
    """An empty database, which is also the one of the settings."""
    async with open_database(load_settings().database_url) as database:
        yield database


@dataclass
class Parts:
    """What the tests use of the services."""

    database: Database
    store: Store
    enqueuer: Enqueuer
    storage: Storage
    jobs: JobFiles


@pytest_asyncio.fixture
async def services(database: Database) -> AsyncIterator[Parts]:
    settings = load_settings()
    redis = connect(settings.queue_server_url())
    store, storage = Store(redis), Storage(settings.storage_url)
    yield Parts(database, store, Enqueuer(store, settings.queues), storage, JobFiles(store, storage))
    await store.watchers.close()
    await redis.aclose(close_connection_pool=True)


@pytest.fixture
def start_worker(services: Parts, settings_env: dict[str, str], tmp_path: Path) -> Iterator[Start]:
    """Starts workers of exports; ends what is left of them."""
    with workers("tasks.workers.CsvExport", tmp_path, settings_env) as start:
        yield start
