"""A worker by hand: claims jobs of the store and settles them as the test says."""

from typing import Any

import msgspec

from service.engine.job_files import artefact_path
from service.engine.store import Job
from service.engine.store.script_inputs import Claim, Outcome
from service.services import Services
from tasks.sdk.types import REGISTRY

QUEUE = "pdf-processing"


class Hands:
    def __init__(self, services: Services) -> None:
        self.services = services
        self.known = msgspec.msgpack.encode([t.name for t in REGISTRY.values() if t.queue == QUEUE])

    async def take(self) -> Job:
        """Lease the next job of the queue."""
        claimed = await self.services.store.claimed(Claim(QUEUE, "by-hand", 1, 60_000, self.known))
        (job,) = claimed.jobs
        return job

    async def progress(self, job: Job, percent: int, message: str, **data: Any) -> None:
        await self.services.store.progressed(job, percent, message, data)

    async def complete(self, job: Job, **artefacts: bytes) -> None:
        """Finish a leased job. Artefacts are named by keyword, a dot in the name written as an underscore."""
        listed = []
        for name, data in artefacts.items():
            shown = name.replace("_", ".")
            await self.services.storage.put(artefact_path(job.id, shown), data)
            listed.append({"name": shown, "bytes": len(data), "media_type": "text/plain"})
        fields = ["progress", 100, "message", "Done", "artefacts", msgspec.json.encode(listed).decode()]
        await self._settle(job, "completed", fields, None)

    async def fail(self, job: Job, error: str) -> None:
        await self._settle(job, "failed", ["error", error], error)

    async def _settle(self, job: Job, kind: str, fields: list[Any], error: str | None) -> None:
        attempt = {
            "number": job.attempt, "worker": "by-hand", "outcome": kind, "error": error, "traceback": None,
        }  # fmt: skip
        outcome = Outcome(job.id, job.queue, job.fence, kind, fields=fields, attempt=attempt)
        assert await self.services.store.settled([outcome]) == [kind]
