"""The processes of a campaign: workers at their slots, and a web process at one address over all its lives."""

import asyncio
import contextlib
import secrets
from dataclasses import dataclass, field
from pathlib import Path

import httpx

from tests.chaos.campaign.cables import Cables
from tests.chaos.campaign.servers import QueueServers
from tests.chaos.histories.record import Kind, Recorder
from tests.engine.conftest import WorkerProcess
from tests.ports import free_port
from tests.waiting import wait_until_async

LEASE_S = 2

WEB = "tests.chaos.campaign.web:create_app"
WORKER = "tests.chaos.campaign.workers.Chaos"

START_S = 300.0
"""Longest wait for a process to start: on a machine that is busy with a hundred others it takes a minute."""

KEY = "acme-secret-key-1"


@dataclass
class Fleet:
    """Processes that may be killed, and what connects them."""

    folder: Path
    servers: QueueServers
    cables: Cables
    slots: int
    recorder: Recorder
    workers: list[WorkerProcess] = field(default_factory=list)
    hired: list[WorkerProcess] = field(default_factory=list)
    """All that were ever started."""
    web: WorkerProcess | None = None
    port: int = field(default_factory=free_port)

    def __post_init__(self) -> None:
        self.fuse = self.folder / "fuse"
        self.environment = {
            "OFFLOAD_DATA_DIR": str(self.folder / "data"),
            "OFFLOAD_API_KEYS": f"acme:{KEY}",
            "OFFLOAD_DASHBOARD_USERS": f"admin:{secrets.token_hex(8)}:operator",
            "OFFLOAD_LEASE_S": str(LEASE_S),
            "OFFLOAD_GRACE_S": "2",
            "OFFLOAD_OCR_PREPARE": "false",
            "OFFLOAD_ENQUEUE_WAIT": "1",
            "CHAOS_HISTORY": str(self.recorder.path),
            "CHAOS_FUSE": str(self.fuse),
        }

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    async def start(self) -> None:
        """The web process first: it makes the database."""
        await self.start_web()
        for slot in range(self.slots):
            self.workers.append(self.hire(slot))

    def hire(self, slot: int, **more: str) -> WorkerProcess:
        """A worker at a slot, which another may still hold."""
        log = self.folder / f"worker-{len(self.hired)}.log"
        environment = self.environment | {"OFFLOAD_REDIS_URL": self.cables.url(slot)} | more
        worker = WorkerProcess(environment, log, WORKER, inside=self.cables.inside(slot))
        self.hired.append(worker)
        return worker

    async def start_web(self) -> None:
        """Start the web process, and wait until it answers."""
        log = self.folder / f"web-{len(self.hired)}.log"
        environment = self.environment | {"OFFLOAD_REDIS_URL": self.cables.url(self.slots)}
        arguments = ("--factory", "--port", str(self.port), "--no-access-log")
        self.web = WorkerProcess(environment, log, WEB, *arguments, module="uvicorn")
        self.hired.append(self.web)
        await wait_until_async(self._answers, START_S)

    async def _answers(self) -> bool:
        assert self.web is not None and self.web.process.poll() is None, self.web and self.web.log.read_text()[-3000:]
        with contextlib.suppress(httpx.TransportError):
            async with self.client() as client:
                return (await client.get("/health/live")).status_code == 200
        return False

    def client(self) -> httpx.AsyncClient:
        headers = {"Authorization": f"Bearer {KEY}"}
        return httpx.AsyncClient(base_url=self.url, headers=headers, trust_env=False, timeout=15)

    @contextlib.asynccontextmanager
    async def blow(self, name: str, pid: int = 0):
        """Record a blow around what is done within the block."""
        self.recorder.record(Kind.BLOW, name=name, pid=pid)
        try:
            yield
        finally:
            self.recorder.record(Kind.OVER, name=name, pid=pid)

    async def end(self) -> None:
        """End every process that was started."""
        for process in self.hired:
            await asyncio.to_thread(process.end)
