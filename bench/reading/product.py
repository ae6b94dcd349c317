"""The product as a client uses it: `offload up` in processes of its own, documents sent and fetched over HTTP."""

import json
import os
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import httpx

from bench.reading.documents import Document
from bench.reading.result import PageRead, PeakMemory, Result, Stopwatch, result
from service.lib.ports import free_port

KEY = "bench-secret-key"
READY_S = 120.0
POLL_S = 0.1
FOLLOW_S = 0.2
"""Between two polls of a job whose first page is there: polling costs the server time that the pages need."""

WHOLE = ("text.txt", "pages.json", "searchable.pdf")
"""The artefacts that are fetched before the watch is stopped, where they exist."""


@dataclass(frozen=True)
class Product:
    """A running installation."""

    http: httpx.Client
    process: "subprocess.Popen[bytes]"

    def read(self, document: Document, engine: str) -> Result:
        """From the upload's first byte to the last artefact's last. Raises RuntimeError for a job that fails."""
        with PeakMemory() as memory:
            watch = Stopwatch()
            job_id = self.start(document, engine)
            self.follow(job_id, watch)
            detail = self.call("GET", f"/api/jobs/{job_id}").json()
            if detail["status"] != "completed":
                raise RuntimeError(f"{document.name}: {detail['status']}, {detail['error']}")
            files = {
                file["name"]: self.call("GET", f"/api/jobs/{job_id}/files/{file['name']}").content
                for file in detail["files"]
                if file["name"] in WHOLE
            }
            seconds = watch.seconds()
        peak_mb = memory.largest_mb("multiprocessing")
        read = pages_read(files["pages.json"])
        return result(f"Offload, {engine}, end to end", document, read, seconds, watch.first_s, peak_mb)

    def start(self, document: Document, engine: str) -> str:
        """Upload and queue. Returns the job's id."""
        with document.path.open("rb") as file:
            stored = self.call("POST", "/api/files", files={"file": (document.path.name, file)}).json()
        payload = {"file_id": stored["file_id"], "engine": engine}
        return str(self.call("POST", "/api/jobs/pdf-ocr", json=payload).json()["job_id"])

    def follow(self, job_id: str, watch: Stopwatch) -> None:
        """Until the job has ended."""
        while True:
            status = self.call("GET", f"/api/jobs/{job_id}/status").json()
            if status["data"].get("pages_processed"):
                watch.page()
            if status["status"] in ("completed", "failed", "cancelled"):
                return
            time.sleep(FOLLOW_S if watch.first_s else POLL_S)

    def call(self, method: str, path: str, **arguments: Any) -> httpx.Response:
        """The reply to a request. Raises httpx.HTTPStatusError where it is an error."""
        response = self.http.request(method, path, **arguments)
        response.raise_for_status()
        return response


def pages_read(pages_json: bytes) -> list[PageRead]:
    """The pages of a finished job, from its pages.json."""
    return [
        PageRead(page["text"], confidence=page["confidence"], doubtful=page["doubtful"])
        for page in json.loads(pages_json)["pages"]
    ]


@contextmanager
def running(data_dir: Path, models: Path, **settings: str) -> Iterator[Product]:
    """`offload up` over an empty data folder with networks that are already made."""
    data_dir.mkdir(parents=True, exist_ok=True)
    (data_dir / "models").symlink_to(models.absolute())
    port = free_port()
    env = os.environ | {
        "OFFLOAD_PORT": str(port),
        "OFFLOAD_DATA_DIR": str(data_dir),
        "OFFLOAD_API_KEYS": f"bench:{KEY}",
        **settings,
    }
    command = [sys.executable, "-c", "from service.cli.main import main; main()", "up", "--with-parent"]
    with (data_dir / "up.log").open("wb") as log:
        process = subprocess.Popen(command, env=env, stdout=log, stderr=log)
    headers = {"Authorization": f"Bearer {KEY}"}
    try:
        with httpx.Client(base_url=f"http://127.0.0.1:{port}", headers=headers, timeout=120) as http:
            _wait_until_ready(http, process, data_dir)
            yield Product(http, process)
    finally:
        process.terminate()
        process.wait(60)


def _wait_until_ready(http: httpx.Client, process: "subprocess.Popen[bytes]", data_dir: Path) -> None:
    deadline = time.monotonic() + READY_S
    while process.poll() is None and time.monotonic() < deadline:
        try:
            workers = http.get("/workers/health").json()["workers"]
        except (httpx.TransportError, ValueError, KeyError):
            workers = []
        if any(worker["queue"] == "pdf-processing" for worker in workers):
            return
        time.sleep(POLL_S)
    raise SystemExit(f"The product did not start:\n{(data_dir / 'up.log').read_text()[-2000:]}")
