"""`Server`: a real Offload for tests: an embedded queue server, the web application and workers, each a process of its own."""

import os
import secrets
import signal
import subprocess
import sys
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any, Self

import httpx

from service.lib.ports import free_port
from service.supervisor.valkey import EmbeddedValkey

READY_S = 120.0
"""Seconds for everything to be up: far above what a slow machine takes."""

POLL_S = 0.1

TERMINAL = frozenset({"completed", "failed", "cancelled", "expired"})


class ServerError(Exception):
    """The server did not start, or a job did not end. The message holds the end of its log."""


class Server:
    """Use as a context manager. `client` is an httpx client with an API key of the owner `tester`."""

    def __init__(self, folder: Path, queues: Sequence[str]) -> None:
        self.folder = folder
        self.queues = queues
        self.url = f"http://127.0.0.1:{free_port()}"
        self.key = secrets.token_urlsafe(16)
        self.client = httpx.Client(
            base_url=self.url, headers={"Authorization": f"Bearer {self.key}"}, timeout=60.0, trust_env=False
        )
        self._valkey = EmbeddedValkey(folder / "queue")
        self._processes: list[subprocess.Popen[bytes]] = []

    def __enter__(self) -> Self:
        (self.folder / "queue").mkdir(parents=True, exist_ok=True)
        self._valkey.start()
        try:
            port = self.url.rpartition(":")[2]
            self._start(
                "uvicorn",
                "dashboard.app:create_app",
                "--factory",
                "--port",
                port,
                "--no-access-log",
                "--no-server-header",
                "--http=service.lib.bounded_connection:BoundedConnection",
                "--ws-max-size=65536",
            )
            self._wait(lambda: self._get("/health/ready").status_code == httpx.codes.OK, "nothing is ready")
            if self.queues:
                self._start("service.cli.main", "worker", *self.queues)
                self._wait(self._served, "no worker is there")
        except BaseException:
            self._stop()
            raise
        return self

    def __exit__(self, *_: object) -> None:
        self._stop()

    def _stop(self) -> None:
        for process in reversed(self._processes):
            process.send_signal(signal.SIGTERM)
        for process in self._processes:
            try:
                process.wait(20)
            except subprocess.TimeoutExpired:
                process.kill()
                process.wait(10)
        self._valkey.stop()
        self.client.close()

    def upload(self, path: Path) -> str:
        """Upload a file; returns its id."""
        with path.open("rb") as file:
            return str(self._called("POST", "/api/files", files={"file": (path.name, file)})["file_id"])

    def submit(self, job_type: str, payload: dict[str, Any]) -> str:
        """Queue a job; returns its id. Raises httpx.HTTPStatusError with the server's sentence."""
        return str(self._called("POST", f"/api/jobs/{job_type}", json=payload)["job_id"])

    def wait(self, job_id: str, timeout_s: float = 60.0) -> dict[str, Any]:
        """The status of a job once it has ended. Raises ServerError where it does not within `timeout_s`."""
        status: dict[str, Any] = {}

        def ended() -> bool:
            status.update(self._called("GET", f"/api/jobs/{job_id}/status"))
            return status["status"] in TERMINAL

        self._wait(ended, f"{job_id} has not ended", timeout_s)
        return status

    def wait_for_job(self, job_type: str, timeout_s: float = 60.0) -> dict[str, Any]:
        """The status of the latest job of a type, such as one that follows another, once it has ended."""
        found: list[dict[str, Any]] = []

        def there() -> bool:
            found[:] = self._called("GET", "/api/jobs", params={"type": job_type, "limit": "1"})["jobs"]
            return bool(found)

        self._wait(there, f"there is no {job_type} job", timeout_s)
        return self.wait(found[0]["id"], timeout_s)

    def file(self, job_id: str, name: str) -> bytes:
        """A finished file of a job."""
        answer = self.client.get(f"/api/jobs/{job_id}/files/{name}")
        answer.raise_for_status()
        return answer.content

    def log(self) -> str:
        """The end of what its processes have logged."""
        path = self.folder / "server.log"
        return path.read_text(encoding="utf-8", errors="replace")[-6_000:] if path.exists() else ""

    def _called(self, method: str, path: str, **arguments: Any) -> Any:
        answer = self.client.request(method, path, **arguments)
        if answer.is_error:
            raise httpx.HTTPStatusError(answer.text, request=answer.request, response=answer)
        return answer.json()

    def _get(self, path: str) -> httpx.Response:
        try:
            return self.client.get(path)
        except httpx.TransportError:
            return httpx.Response(503)

    def _served(self) -> bool:
        answer = self._get("/workers/health")
        workers = answer.json().get("workers", []) if answer.content else []
        return set(self.queues) <= {worker["queue"] for worker in workers}

    def _start(self, module: str, *arguments: str) -> None:
        environment = {
            **os.environ,
            # As this process imports: a test's own folders come first.
            "PYTHONPATH": os.pathsep.join(path for path in sys.path if path),
            "OFFLOAD_DATA_DIR": str(self.folder / "data"),
            "OFFLOAD_REDIS_URL": self._valkey.url,
            "OFFLOAD_API_KEYS": f"tester:{self.key}",
            "OFFLOAD_GRACE_S": "2",
            # Making networks faster takes minutes of a core.
            "OFFLOAD_OCR_PREPARE": "false",
        }
        with (self.folder / "server.log").open("ab") as log:
            command = [sys.executable, "-m", module, *arguments]
            self._processes.append(subprocess.Popen(command, env=environment, stdout=log, stderr=log))

    def _wait(self, condition: Any, failure: str, timeout_s: float = READY_S) -> None:
        deadline = time.monotonic() + timeout_s
        while not condition():
            ended = next((process for process in self._processes if process.poll() is not None), None)
            if ended is not None or time.monotonic() > deadline:
                why = f"a process ended with {ended.returncode}" if ended else f"within {timeout_s:g} s"
                raise ServerError(f"{failure} ({why}). Its log ends:\n{self.log()}")
            time.sleep(POLL_S)
