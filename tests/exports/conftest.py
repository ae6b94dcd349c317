"""Both databases, filled with rows that are hard to export, and a real csv-export worker."""

import os
import signal
import subprocess
import sys
from collections.abc import AsyncIterator, Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest
import pytest_asyncio

from service.database import Database, open_database
from service.engine.enqueuer import Enqueuer
from service.engine.job_files import JobFiles
from service.engine.redis.client import connect
from service.engine.store import Store
from service.lib.object_storage import Storage
from settings import load_settings

ROOT = Path(__file__).parents[2]


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
def start_worker(services: Parts, tmp_path: Path) -> Iterator[Callable[..., subprocess.Popen[bytes]]]:
    """Starts `arq tasks.workers.CsvExport`; ends what is left of it."""
    started: list[subprocess.Popen[bytes]] = []
    log = tmp_path / "worker.log"

    def start(**environment: str) -> subprocess.Popen[bytes]:
        with log.open("ab") as output:
            worker = subprocess.Popen(
                [sys.executable, "-m", "arq", "tasks.workers.CsvExport"],
                cwd=ROOT,
                env=os.environ | {"OFFLOAD_LEASE_S": "2"} | environment,
                stdout=output,
                stderr=output,
            )
        started.append(worker)
        return worker

    yield start
    for worker in started:
        if worker.poll() is None:
            worker.send_signal(signal.SIGTERM)
            worker.wait(40)
    print(log.read_text()[-4000:] if log.exists() else "")
