"""Workers as real processes, and a client's view of their store."""

import os
import signal
import subprocess
import sys
from collections.abc import AsyncIterator, Callable, Iterator, Sequence
from pathlib import Path

import pytest

from service.engine.enqueuer import Enqueuer
from service.engine.redis.client import Client, connect
from service.engine.store import Store
from settings import load_settings
from tests.prepared import Process, started

ROOT = Path(__file__).parents[2]


class WorkerProcess:
    """One process that the test started, and may therefore kill: `arq` with `settings`, or another `module`.

    `inside` is what starts it elsewhere, such as `ip netns exec one`.
    """

    def __init__(
        self,
        environment: dict[str, str],
        log: Path,
        settings: str = "tests.engine.workers.Probe",
        *arguments: str,
        module: str = "arq",
        inside: Sequence[str] = (),
    ) -> None:
        self.log = log
        self.process: Process
        with log.open("ab") as output:
            if not inside:
                self.process = started(module, [settings, *arguments], os.environ | environment, output)
                return
            self.process = subprocess.Popen(
                [*inside, sys.executable, "-m", module, settings, *arguments],
                cwd=ROOT,
                env=os.environ | environment,
                stdout=output,
                stderr=output,
            )

    @property
    def pid(self) -> int:
        return self.process.pid

    def kill(self) -> None:
        """kill -9."""
        self.process.kill()
        self.process.wait(10)

    def terminate(self) -> None:
        """SIGTERM, as a deploy sends it."""
        self.process.send_signal(signal.SIGTERM)

    def end(self) -> None:
        if self.process.poll() is None:
            # A frozen process would not hear anything but this pair.
            self.process.send_signal(signal.SIGCONT)
            self.process.kill()
            self.process.wait(10)


@pytest.fixture
def ledger(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> "Ledger":
    """What the probe jobs did, outside Redis."""
    path = tmp_path / "ledger"
    path.touch()
    monkeypatch.setenv("PROBE_LEDGER", str(path))
    return Ledger(path)


class Ledger:
    def __init__(self, path: Path) -> None:
        self.path = path

    def lines(self, word: str) -> list[list[str]]:
        """The rest of every line that begins with `word`, split at blanks."""
        rows = [line.split() for line in self.path.read_text().splitlines()]
        return [row[1:] for row in rows if row and row[0] == word]


@pytest.fixture
async def client(redis_url: str) -> AsyncIterator[Client]:
    """A client of the test's queue server."""
    redis = connect(redis_url)
    yield redis
    await redis.aclose(close_connection_pool=True)


@pytest.fixture
def start_worker(settings_env: dict[str, str], ledger: Ledger, tmp_path: Path) -> Iterator[Callable[[], WorkerProcess]]:
    """Starts worker processes of the thumbnails queue; ends what is left of them."""
    started: list[WorkerProcess] = []

    def start(settings: str = "tests.engine.workers.Probe", **environment: str) -> WorkerProcess:
        worker = WorkerProcess(
            settings_env | {"PROBE_LEDGER": str(ledger.path), "OFFLOAD_LEASE_S": "2"} | environment,
            tmp_path / f"worker-{len(started)}.log",
            settings,
        )
        started.append(worker)
        return worker

    yield start
    for worker in started:
        worker.end()
        print(worker.log.name, worker.log.read_text()[-4000:], sep="\n")


@pytest.fixture
async def store(settings_env: dict[str, str]) -> AsyncIterator[Store]:
    redis = connect(settings_env["OFFLOAD_REDIS_URL"])
    store = Store(redis)
    yield store
    await store.watchers.close()
    await redis.aclose(close_connection_pool=True)


@pytest.fixture
def enqueuer(store: Store) -> Enqueuer:
    return Enqueuer(store, load_settings().queues)
