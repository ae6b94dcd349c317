"""A whole installation for hostile files: the API, a worker of each queue that reads files, and a canary on loopback."""

import asyncio
import re
import subprocess
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import httpx
import psutil

from service.engine.worker.heartbeat import BEAT
from tests.waiting import wait_until_async

JOBS_LIMIT_S = 300.0
"""All jobs of the corpus together take a minute of a core; a busy machine multiplies that."""

SENTENCE = re.compile(r"[^\s].{10,}\.", re.DOTALL)
MACHINERY = ("Traceback", "Error:", "Exception", "/tmp", "site-packages", " 0x")


class Canary:
    """A listener whose address hostile files name: nothing may ever connect to it."""

    def __init__(self) -> None:
        self.visits = 0

    async def open(self) -> str:
        """Listen. Returns the address."""
        self._server = await asyncio.start_server(self._visited, "127.0.0.1", 0)
        return f"http://127.0.0.1:{self._server.sockets[0].getsockname()[1]}/evil"

    def _visited(self, _reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.visits += 1
        writer.close()

    def close(self) -> None:
        self._server.close()


@dataclass
class Outcome:
    """Result of one file: its upload's status and sentence, or its id and the reasons that jobs gave."""

    status: int
    detail: str = ""
    file_id: str = ""
    media_type: str = ""
    reasons: dict[str, str] = field(default_factory=dict)

    @property
    def sentences(self) -> list[str]:
        """Every sentence about the file that a client reads."""
        return [one for one in (self.detail, *self.reasons.values()) if one]


@dataclass
class Stack:
    """A client of the API, and the workers by their process."""

    client: httpx.AsyncClient
    workers: list["subprocess.Popen[bytes]"]

    async def upload(self, files: dict[str, Callable[[], bytes]]) -> dict[str, Outcome]:
        """Send each file, one after the other: what each does to the reader is its own."""
        found = {}
        for name, build in files.items():
            answer = await self.client.post("/api/files", files={"file": ("file.bin", build())})
            body = answer.json()
            found[name] = Outcome(
                answer.status_code, body.get("detail", ""), body.get("file_id", ""), body.get("media_type", "")
            )
        return found

    async def ended(self, kind: str, payload: dict[str, Any]) -> dict[str, Any]:
        """The job once it has ended."""
        accepted = await self.client.post(f"/api/jobs/{kind}", json=payload)
        assert accepted.status_code == 202, accepted.text
        at = f"/api/jobs/{accepted.json()['job_id']}"

        async def terminal() -> bool:
            status = (await self.client.get(f"{at}/status")).json()["status"]
            return status in ("completed", "failed", "cancelled")

        await wait_until_async(terminal, JOBS_LIMIT_S)
        return dict((await self.client.get(at)).json())

    async def thumbnails(self, outcomes: dict[str, Outcome]) -> None:
        """One job of all that were taken; each failure's reason goes to its file."""
        taken = {one.file_id: one for one in outcomes.values() if one.file_id}
        job = await self.ended("thumbnails", {"document_ids": list(taken), "sizes": [150]})
        assert job["status"] == "completed", job["error"]
        report = (await self.client.get(f"/api/jobs/{job['id']}/files/thumbnails.json")).json()
        for row in report["documents"]:
            if row["reason"]:
                taken[row["document_id"]].reasons["thumbnails"] = row["reason"]

    async def job_of_each(self, kind: str, outcomes: dict[str, Outcome], media: str, **payload: Any) -> None:
        """A job of each file of a media type; they run side by side."""

        async def one(outcome: Outcome) -> None:
            job = await self.ended(kind, {"file_id": outcome.file_id, **payload})
            if job["status"] != "completed":
                outcome.reasons[kind] = job["error"]
            assert job["attempt"] == 1, (kind, job["error"], "is tried again")

        await asyncio.gather(*(one(it) for it in outcomes.values() if it.file_id and it.media_type.startswith(media)))

    def programs(self) -> list[str]:
        """Names of programs below the workers: ffmpeg and whatever a file may have started."""
        below = [child for worker in self.workers for child in psutil.Process(worker.pid).children(recursive=True)]
        return sorted({name for child in below if not (name := child.name()).startswith("python")})


def odd_sentences(outcomes: dict[str, Outcome]) -> dict[str, str]:
    """By file, what a client reads that is not a sentence about it."""
    return {
        name: text
        for name, outcome in outcomes.items()
        for text in outcome.sentences
        if not SENTENCE.fullmatch(text) or any(word in text for word in MACHINERY) or len(text) > 300
    }


def left_below(folder: Path) -> list[str]:
    """Files below a folder, but for those that a worker touches to show that it lives."""
    return sorted(str(path.relative_to(folder)) for path in folder.rglob("*") if path.is_file() and path.name != BEAT)
