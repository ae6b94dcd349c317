"""`offload up` as a test sees it: a real process with all its children, on a free port, over a folder of its own."""

import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import httpx
import psutil

from settings import Queue
from tests.conftest import API_KEYS, DASHBOARD_USERS
from tests.ports import free_port
from tests.waiting import wait_until

OFFLOAD = [sys.executable, "-m", "service.cli.main"]


class Stack:
    """A running `offload up`. `process` is its top process; what is killed here was started here."""

    def __init__(self, folder: Path, **more: str) -> None:
        self.folder = folder
        self.port = free_port()
        self.url = f"http://127.0.0.1:{self.port}"
        self.environment = os.environ | {
            "OFFLOAD_DATA_DIR": str(folder / "data"),
            "OFFLOAD_PORT": str(self.port),
            "OFFLOAD_API_KEYS": API_KEYS,
            "OFFLOAD_DASHBOARD_USERS": DASHBOARD_USERS,
            **more,
        }
        folder.mkdir(exist_ok=True)
        with (folder / "log").open("wb") as log:
            self.process = subprocess.Popen(
                [*OFFLOAD, "up"], env=self.environment, stdout=log, stderr=log, start_new_session=True
            )

    @property
    def log(self) -> str:
        """What it has written so far."""
        return (self.folder / "log").read_text()

    def wait_ready(self) -> "Stack":
        """Return when the web application is ready and a worker of every queue reports itself."""
        wait_until(lambda: self.process.poll() is not None or self.ready(), limit_s=120)
        assert self.process.poll() is None, self.log
        return self

    def ready(self) -> bool:
        """Whether all of it is up now."""
        try:
            ready = httpx.get(f"{self.url}/health/ready", trust_env=False).status_code == httpx.codes.OK
            return ready and {worker["queue"] for worker in self.workers()} == set(Queue)
        except (httpx.HTTPError, KeyError, ValueError):
            return False

    def workers(self) -> list[dict[str, Any]]:
        """Workers that have reported themselves in the last seconds."""
        answer: dict[str, Any] = httpx.get(
            f"{self.url}/workers/health", headers=KEY, trust_env=False, timeout=60
        ).json()
        return [worker for worker in answer["workers"] if worker["heartbeat_age_seconds"] < 5]

    def family(self) -> list[psutil.Process]:
        """Every process below the top one."""
        return psutil.Process(self.process.pid).children(recursive=True)

    def child(self, *words: str) -> psutil.Process:
        """The one process whose command line holds all the words."""
        found = [process for process in self.family() if all(word in " ".join(process.cmdline()) for word in words)]
        assert len(found) == 1, found
        return found[0]

    def run(self, *arguments: str, **more: str) -> "subprocess.CompletedProcess[str]":
        """Run the command line against it."""
        command = [*OFFLOAD, *arguments]
        environment = self.environment | more
        return subprocess.run(command, env=environment, capture_output=True, text=True, timeout=120, check=False)

    def jobs(self) -> list[dict[str, Any]]:
        """What the API lists."""
        answer = httpx.get(f"{self.url}/api/jobs", headers=KEY, trust_env=False, timeout=60)
        listed: list[dict[str, Any]] = answer.json()["jobs"]
        return listed


KEY = {"Authorization": f"Bearer {API_KEYS.split(':')[1].split(',')[0]}"}


def gone(processes: list[psutil.Process]) -> bool:
    """Whether none of them runs any more; one that is only not reaped counts as gone."""
    return not any(_runs(process) for process in processes)


def _runs(process: psutil.Process) -> bool:
    try:
        return process.status() != psutil.STATUS_ZOMBIE
    except psutil.NoSuchProcess:
        return False
