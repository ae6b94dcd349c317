"""`offload pause`, `resume`, `drain` and `worker` on an installation of their own."""

import asyncio
import os
import signal
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

from service.engine.redis.client import connect
from service.engine.store import Store
from service.lib.clock import now_ms
from service.monitoring.changes.deploys import Deploys
from settings import load_settings
from tests.supervisor.stack import OFFLOAD
from tests.waiting import wait_until_async


def offload(*arguments: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run([*OFFLOAD, *arguments], capture_output=True, text=True, env=dict(os.environ), check=False)


@pytest.fixture
async def store(settings_env: dict[str, str]):
    redis = connect(load_settings().queue_server_url())
    yield Store(redis)
    await redis.aclose(close_connection_pool=True)


async def test_a_queue_is_paused_and_resumed(store: Store) -> None:
    done = offload("pause", "csv-export", "--reason", "deploy", "--minutes", "5")
    assert (done.returncode, done.stdout) == (0, "csv-export is paused for 5 minutes.\n"), done.stderr
    hold = (await store.controls.holds("csv-export"))["pause"]
    assert hold.reason == "deploy" and hold.by.startswith("cli:") and hold.until_ms
    assert offload("resume", "csv-export").stdout == "csv-export is resumed.\n"
    assert await store.controls.holds("csv-export") == {}
    unknown = offload("pause", "nothing")
    assert unknown.returncode == 2 and "'nothing' is not one of 'pdf-processing'" in unknown.stderr


async def test_a_drain_ends_when_nothing_runs(store: Store) -> None:
    done = offload("drain", "csv-export")
    assert (done.returncode, done.stdout) == (0, "csv-export is paused, and none of its jobs run.\n"), done.stderr
    assert "pause" in await store.controls.holds("csv-export")


async def test_a_deploy_is_marked(store: Store) -> None:
    done = offload("deploy-mark", "2.0  is out")
    assert (done.returncode, done.stdout) == (0, "Marked: 2.0 is out\n"), done.stderr
    (mark,) = await Deploys(store.redis).between(0, now_ms() + 60_000)
    assert mark.words == "2.0 is out" and mark.by.startswith("cli:")
    empty = offload("deploy-mark", " ")
    assert empty.returncode == 1 and "a few printable words" in empty.stderr


@pytest.fixture
def workers(settings_env: dict[str, str], tmp_path: Path) -> Iterator[subprocess.Popen[bytes]]:
    with (tmp_path / "worker.log").open("w") as log:
        process = subprocess.Popen([*OFFLOAD, "worker", "csv-export", "thumbnails"], stdout=log, stderr=log)
    yield process
    process.kill()
    process.wait()


async def test_workers_run_until_they_are_stopped(
    store: Store, workers: subprocess.Popen[bytes], tmp_path: Path
) -> None:
    await wait_until_async(lambda: _served(store))
    workers.send_signal(signal.SIGTERM)
    assert await asyncio.to_thread(workers.wait, 60) in (0, 143), (tmp_path / "worker.log").read_text()


async def _served(store: Store) -> bool:
    return {worker.queue for worker in await store.workers()} == {"csv-export", "thumbnails"}
