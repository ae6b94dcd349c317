"""The API on loopback with a real worker of the thumbnails queue."""

import contextlib
import os
import shutil
import signal
import sqlite3
from collections.abc import Awaitable, Callable, Iterator
from pathlib import Path

import httpx
import pytest
import redis

from service.engine.store import keys
from settings import Queue, load_settings
from tests.api.conftest import acme, anonymous, app, globex, served
from tests.conftest import API_KEYS, DASHBOARD_USERS
from tests.databases import emptied, new_database
from tests.prepared import started
from tests.waiting import wait_until_async

__all__ = ["acme", "anonymous", "app", "globex", "served"]

Follow = Callable[[str], Awaitable[dict[str, object]]]


class Worker:
    """`arq tasks.workers.Thumbnails`, frozen but while a test wants it: starting a new one takes seconds."""

    def __init__(self, environment: dict[str, str], log: Path) -> None:
        self.log = log
        self.database = environment["OFFLOAD_DATABASE_URL"]
        self.queue_server = redis.Redis.from_url(environment["OFFLOAD_REDIS_URL"])
        with log.open("ab") as output:
            self.process = started("arq", ["tasks.workers.Thumbnails"], os.environ | environment, output)

    def thaw(self) -> None:
        self.process.send_signal(signal.SIGCONT)

    def freeze(self) -> None:
        # Not while it writes: no other process could, until it is thawed.
        with self.database_locked():
            self.process.send_signal(signal.SIGSTOP)
        # Or what the next test enqueues would be dispatched to it, for a second and a half.
        self.queue_server.delete(keys.idle(Queue.THUMBNAILS))

    @contextlib.contextmanager
    def database_locked(self) -> Iterator[None]:
        if not self.database.startswith("sqlite"):
            yield
            return
        with contextlib.closing(sqlite3.connect(self.database.partition("///")[2], timeout=60)) as connection:
            connection.isolation_level = None
            connection.execute("BEGIN IMMEDIATE")
            yield

    def end(self) -> None:
        self.process.kill()
        self.process.wait()
        self.queue_server.close()


@pytest.fixture(scope="package")
def environment(
    request: pytest.FixtureRequest, valkey: str, tmp_path_factory: pytest.TempPathFactory, database_kind: str
) -> Iterator[dict[str, str]]:
    """The OFFLOAD_ variables of an installation that this folder's tests share, on an empty queue server."""
    with redis.Redis.from_url(valkey) as client:
        client.flushall()
    data = tmp_path_factory.mktemp("images")
    with new_database(request, database_kind, data) as url:
        yield {
            "OFFLOAD_DATA_DIR": str(data),
            "OFFLOAD_DATABASE_URL": url,
            "OFFLOAD_REDIS_URL": valkey,
            "OFFLOAD_API_KEYS": API_KEYS,
            "OFFLOAD_DASHBOARD_USERS": DASHBOARD_USERS,
        }


@pytest.fixture(scope="package")
def workers(environment: dict[str, str], tmp_path_factory: pytest.TempPathFactory) -> Iterator[list[Worker]]:
    """The one worker, once a test has wanted it."""
    started: list[Worker] = []
    yield started
    for worker in started:
        worker.end()


@pytest.fixture
def settings_env(environment: dict[str, str], monkeypatch: pytest.MonkeyPatch) -> Iterator[dict[str, str]]:
    """The shared installation, with no document, no picture and no job's file in it."""
    for name, value in environment.items():
        monkeypatch.setenv(name, value)
    load_settings.cache_clear()
    data = Path(environment["OFFLOAD_DATA_DIR"])
    for folder in ("documents", "thumbnails", "jobs"):
        shutil.rmtree(data / "files" / folder, ignore_errors=True)
    emptied(environment["OFFLOAD_DATABASE_URL"], "images", "documents")
    yield environment
    load_settings.cache_clear()


@pytest.fixture
def start_worker(
    workers: list[Worker], environment: dict[str, str], tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Callable[[], None]]:
    """From the call on until the test's end the worker works."""
    ran = False

    def start() -> None:
        nonlocal ran
        ran = True
        if not workers:
            workers.append(Worker(environment, tmp_path_factory.mktemp("worker") / "worker.log"))
        workers[0].thaw()

    yield start
    if ran:
        workers[0].freeze()
        print(workers[0].log.read_text()[-4000:])


@pytest.fixture
def follow(acme: httpx.AsyncClient) -> Follow:
    """Waits for a job's end and answers all that is known of it."""

    async def followed(job_id: str) -> dict[str, object]:
        async def ended() -> bool:
            status = (await acme.get(f"/api/jobs/{job_id}/status")).json()["status"]
            return status in ("completed", "failed", "cancelled")

        await wait_until_async(ended)
        found: dict[str, object] = (await acme.get(f"/api/jobs/{job_id}")).json()
        return found

    return followed


async def uploaded(client: httpx.AsyncClient, data: bytes, name: str = "scene.jpg") -> str:
    answer = await client.post("/api/files", files={"file": (name, data)})
    assert answer.status_code == 201, answer.text
    return str(answer.json()["file_id"])
