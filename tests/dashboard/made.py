"""Jobs in every state, made by the store's own verbs as a worker would: what the pages are shown with."""

from collections.abc import Sequence
from dataclasses import replace
from typing import Any

import msgspec

from service.engine.job_files import artefact_path
from service.engine.store import Job, WorkerInfo, keys
from service.engine.store.script_inputs import Claim, Outcome
from service.engine.worker.error_fingerprint import fingerprint
from service.lib.clock import now_ms
from service.mail.templates import TemplateRows
from service.services import Services
from settings.queues import Queue
from tasks.mail.template import Source
from tasks.sdk.errors import Permanent
from tasks.sdk.run import Run
from tasks.sdk.types import JobType, Payload

LEASE_MS = 600_000

LETTER = Source(
    "News for {{ user.name }}",
    "<style>h1 { color: teal } p { line-height: 1.5 }</style>\n<h1>Hello {{ user.name }}</h1>\n"
    "<p>Scans are searchable now, and thumbnails come in three sizes.</p>\n"
    '<p><a href="{{ unsubscribe_url }}">No more of this</a></p>',
    "Hello {{ user.name }},\n\nScans are searchable now, and thumbnails come in three sizes.\n\n"
    "No more of this: {{ unsubscribe_url }}",
)


class Anything(Payload, omit_defaults=False):
    """A payload with a field that is personal and one that is not."""

    file_id: str = "file-1"
    email: str = "ada@example.com"


async def _never_run(payload: Anything, run: Run) -> None:
    raise AssertionError("only a worker runs a job")


def made_type(name: str = "pdf-ocr", queue: Queue = Queue.PDF_PROCESSING) -> JobType:
    """A job type that is not registered: pages must cope with jobs of a release that knew more."""
    return JobType(
        name=name,
        queue=queue,
        payload=Anything,
        function=_never_run,
        search_keys=("file_id",),
        personal=frozenset({"email"}),
    )


class Maker:
    """Makes jobs and takes them through their states."""

    def __init__(self, services: Services) -> None:
        self.services = services
        self.store = services.store

    async def queued(
        self, job_type: JobType | None = None, owner: str = "acme", payload: Payload | None = None, **more: Any
    ) -> str:
        accepted = await self.services.enqueuer.enqueue(
            job_type or made_type(), payload or Anything(), owner=owner, **more
        )
        return accepted.job_id

    async def active(self, job_type: JobType | None = None, worker: str = "pdf-processing:host:1", **more: Any) -> Job:
        """A job that a worker has claimed."""
        job_type = job_type or made_type()
        job_id = await self.queued(job_type, **more)
        return await self.claimed(await self.store.present(job_id), worker)

    async def claimed(self, job: Job, worker: str = "pdf-processing:host:1") -> Job:
        """The job, taken by a worker. It must be the one that is next."""
        known = msgspec.msgpack.encode([job.type])
        claimed = await self.store.claimed(Claim(job.queue, worker, 1, LEASE_MS, known))
        assert [taken.id for taken in claimed.jobs] == [job.id]
        return claimed.jobs[0]

    async def progressed(self, job: Job, percent: int, message: str, **data: Any) -> None:
        await self.store.progressed(job, percent, message, data)

    async def completed(
        self,
        job: Job,
        files: dict[str, tuple[bytes, str]] | None = None,
        result: Any = None,
        message: str = "Done",
        tags: Sequence[str] = (),
    ) -> str:
        artefacts = []
        for name, (content, media_type) in (files or {}).items():
            await self.services.storage.put(artefact_path(job.root, name), content)
            artefacts.append({"name": name, "bytes": len(content), "media_type": media_type})
        fields = ["result", _json(result), "artefacts", _json(artefacts), "progress", 100, "message", message]
        return await self._settle(
            job, "completed", fields, _entry(job, "completed"), find=[f"tag:{one}" for one in tags]
        )

    async def failed(self, job: Job, error: str = "the page is blank", traceback: str | None = None) -> str:
        cause = fingerprint(Permanent(error))
        fields = ["error", error, "error_type", "Permanent", "message", error, "fingerprint", cause, "permanent", "1"]
        return await self._settle(job, "failed", fields, _entry(job, "failed", error, traceback))

    async def retrying(
        self,
        job: Job,
        error: str = "ConnectionError: no answer",
        traceback: str | None = None,
        delay_ms: int = 60_000,
    ) -> str:
        fields = [
            "error",
            error,
            "error_type",
            "ConnectionError",
            "message",
            f"Trying again in {delay_ms // 1000} s: {error}",
        ]
        return await self._settle(job, "retry", fields, _entry(job, "retry", error, traceback), delay_ms=delay_ms)

    async def mail_template(self, name: str, owner: str = "acme") -> str:
        """A template of mail. Those of the test before are gone."""
        rows = TemplateRows(self.services.database)
        for old in await rows.list(owner):
            if old.name == name:
                await rows.delete(old.template_id, owner)
        return (await rows.create(owner, name, LETTER)).template_id

    async def suspended(self, job: Job) -> None:
        """Put aside until its parts have ended."""
        await self.store.settled([Outcome(job.id, job.queue, job.fence, "suspend")])

    async def worker(self, queue: Queue = Queue.PDF_PROCESSING, silent_ms: int = 0, **more: Any) -> str:
        """A worker's report, `silent_ms` old."""
        at_ms = now_ms()
        info = WorkerInfo(
            id=f"{queue}:host:1",
            queue=str(queue),
            host="host",
            pid=4711,
            pool_pids=[4712, 4713],
            version="0.1.0",
            started_at_ms=at_ms - 3_600_000,
            heartbeat_ms=at_ms - silent_ms,
            active=0,
            processed=12,
            failed=1,
            rss_bytes=734_003_200,
            slots=2,
        )
        info = replace(info, **more)
        await self.store.redis.set(keys.worker(info.id), msgspec.json.encode(info))
        await self.store.redis.zadd(keys.WORKERS, {info.id: info.heartbeat_ms})
        return info.id

    async def _settle(self, job: Job, kind: str, fields: list[Any], attempt: dict[str, Any], **more: Any) -> str:
        outcome = Outcome(job.id, job.queue, job.fence, kind, fields=fields, attempt=attempt, **more)
        assert await self.store.settled([outcome]) != ["lost"]
        return job.id


def _json(value: Any) -> str:
    return msgspec.json.encode(value).decode()


def _entry(job: Job, outcome: str, error: str | None = None, traceback: str | None = None) -> dict[str, Any]:
    entry = {
        "number": job.attempt,
        "worker": job.worker or "",
        "outcome": outcome,
    }
    return entry | ({"error": error} if error else {}) | ({"traceback": traceback} if traceback else {})
