"""An installation of real processes, clients that send jobs to it, and the count of their outcomes."""

import asyncio
import contextlib
import os
import re
import secrets
import signal
import subprocess
import sys
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import httpx

from tests.conftest import API_KEYS, DASHBOARD_USERS
from tests.waiting import wait_until, wait_until_async

ROOT = Path(__file__).parents[2]
TERMINAL = {"completed", "failed", "cancelled"}
STUCK_S = 60.0
"""A job is stuck where none of those that are left has ended for so long."""

STARTED_S = 240.0
"""Longest wait for a process to start: the last version's sources are compiled by each that runs them."""

AT_ONCE = 8
"""Clients that send at the same time."""


@dataclass
class Row:
    """A line of the table."""

    test: str
    jobs: int = 0
    lost: int = 0
    twice: int = 0
    stuck: int = 0
    refused: int = 0
    remarks: str = ""


TABLE: list[Row] = []


class Process:
    """A process of the installation, its output in a file."""

    def __init__(self, command: Sequence[str], environment: dict[str, str], log: Path, root: Path = ROOT) -> None:
        self.log = log
        # The folder stands before whatever is installed: it decides which version runs.
        environment = environment | {"PYTHONPATH": str(root)}
        with log.open("ab") as output:
            self.process = subprocess.Popen(
                [sys.executable, "-m", *command], cwd=root, env=os.environ | environment, stdout=output, stderr=output
            )

    @property
    def output(self) -> str:
        return self.log.read_text(errors="replace")

    def end(self) -> None:
        """SIGTERM, and SIGKILL where that is not enough."""
        if self.process.poll() is None:
            self.process.send_signal(signal.SIGCONT)
            self.process.terminate()
            try:
                self.process.wait(15)
            except subprocess.TimeoutExpired:
                self.process.kill()
                self.process.wait(10)


@dataclass
class Installation:
    """Web and worker processes over parts that the test has started."""

    folder: Path
    environment: dict[str, str]
    processes: list[Process] = field(default_factory=list)
    url: str = ""
    root: Path = ROOT
    """Files of the version whose processes are started next."""
    accepted: dict[str, str] = field(default_factory=dict)
    """Idempotency key to job id, of every job that was answered with 202."""
    answers: Counter[int] = field(default_factory=Counter)

    def __post_init__(self) -> None:
        self.folder.mkdir(parents=True, exist_ok=True)
        self.ledger = self.folder / "ledger"
        self.ledger.touch()
        self.environment = {
            "OFFLOAD_DATA_DIR": str(self.folder / "data"),
            "OFFLOAD_API_KEYS": API_KEYS,
            "OFFLOAD_DASHBOARD_USERS": DASHBOARD_USERS,
            "OFFLOAD_LEASE_S": "5",
            "OFFLOAD_GRACE_S": "2",
            "OFFLOAD_OCR_PREPARE": "false",
            # Jobs that fail once each, one after the other, would pause the queue.
            "OFFLOAD_BREAKER_JOBS": "0",
            "PRODUCTION_LEDGER": str(self.ledger),
        } | self.environment

    def start(self, *command: str, inside: Sequence[str] = (), **environment: str) -> Process:
        """Start a module as a process of the installation."""
        log = self.folder / f"{len(self.processes)}-{command[0]}.log"
        process = Process(command, self.environment | environment, log, self.root)
        self.processes.append(process)
        return process

    def start_web(self, app: str = "tests.production.web:create_app", **environment: str) -> Process:
        """Start a web process, and send requests to it from now on."""
        web = self.start("uvicorn", "--factory", app, "--port", "0", "--no-access-log", **environment)
        found = wait_until(
            lambda: re.search(r"running on (http://\S+:\d+)", web.output) or web.process.poll() is not None, STARTED_S
        )
        assert isinstance(found, re.Match), web.output
        self.url = found[1]
        return web

    def start_worker(self, settings: str = "tests.production.workers.Nappers", **environment: str) -> Process:
        """Start a worker, and wait until it is ready."""
        worker = self.start("arq", settings, **environment)
        wait_until(lambda: "worker.ready" in worker.output or worker.process.poll() is not None, STARTED_S)
        assert worker.process.poll() is None, worker.output
        return worker

    def client(self) -> httpx.AsyncClient:
        key = API_KEYS.partition(",")[0].partition(":")[2]
        return httpx.AsyncClient(
            base_url=self.url, headers={"Authorization": f"Bearer {key}"}, trust_env=False, timeout=20
        )

    async def send(
        self, jobs: int, *, pace_s: float = 0.2, kind: str = "nap", payload: dict[str, Any] | None = None
    ) -> None:
        """Send jobs as patient clients do: one that is not answered with 202 is sent again under its key."""
        keys = [secrets.token_hex(8) for _ in range(jobs)]
        async with self.client() as client:

            async def send_in_turn() -> None:
                while keys:
                    await self._send(client, kind, keys.pop(), payload or {})
                    await asyncio.sleep(pace_s)

            async with asyncio.TaskGroup() as group:
                for _ in range(AT_ONCE):
                    group.create_task(send_in_turn())

    async def _send(self, client: httpx.AsyncClient, kind: str, key: str, payload: dict[str, Any]) -> None:
        while True:
            try:
                answer = await client.post(f"/api/jobs/{kind}", json=payload, headers={"Idempotency-Key": key})
            except httpx.TransportError:
                self.answers[0] += 1
            else:
                self.answers[answer.status_code] += 1
                if answer.status_code == 202:
                    self.accepted[key] = answer.json()["job_id"]
                    return
                assert answer.status_code in (503, 507), answer.text
            await asyncio.sleep(0.3)

    async def status(self, client: httpx.AsyncClient, job_id: str) -> str:
        """The job's status, `gone` where there is no such job, `unknown` where it could not be asked."""
        try:
            answer = await client.get(f"/api/jobs/{job_id}/status")
        except httpx.TransportError:
            return "unknown"
        if answer.status_code == 200:
            return str(answer.json()["status"])
        return "gone" if answer.status_code == 404 else "unknown"

    async def count(self, test: str, remarks: str = "") -> Row:
        """Wait for every accepted job to end, for as long as they go on ending, and add the outcome to the table."""
        left = set(self.accepted.values())
        gone: set[str] = set()
        seen: Counter[str] = Counter()
        async with self.client() as client:

            async def all_ended() -> bool:
                for job_id in list(left):
                    status = await self.status(client, job_id)
                    if status in TERMINAL or status == "gone":
                        left.discard(job_id)
                        seen[status] += 1
                        gone.update({job_id} if status == "gone" else ())
                return not left

            before = -1
            while left and len(left) != before:
                before = len(left)
                with contextlib.suppress(AssertionError):
                    await wait_until_async(all_ended, STUCK_S)
        runs = Counter(line.split()[1] for line in self.ledger.read_text().splitlines() if line.startswith("done "))
        row = Row(
            test=test,
            jobs=len(self.accepted),
            lost=len(gone),
            twice=sum(runs[job_id] > 1 for job_id in self.accepted.values()),
            stuck=len(left),
            refused=self.answers[503] + self.answers[507] + self.answers[0],
            remarks=", ".join(filter(None, [*(f"{n} {s}" for s, n in seen.items() if s != "completed"), remarks])),
        )
        TABLE.append(row)
        return row

    def stop(self) -> None:
        for process in reversed(self.processes):
            process.end()


def table() -> list[str]:
    """The lines of the table, for the end of a run."""
    heads = ("test", "jobs", "lost", "twice", f"stuck over {STUCK_S:.0f} s", "refused", "remarks")
    rows = [[str(value) for value in vars(row).values()] for row in TABLE]
    widths = [max(len(row[n]) for row in [list(heads), *rows]) for n in range(len(heads))]
    return ["  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)) for row in [heads, *rows]]


def fill(file: Path) -> None:
    """Write to a file until its disk is full."""
    descriptor = os.open(file, os.O_WRONLY | os.O_CREAT)
    try:
        with contextlib.suppress(OSError):
            while True:
                os.write(descriptor, b"x" * 4096)
    finally:
        os.close(descriptor)
