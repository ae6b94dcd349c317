"""`JobOutputs`: what a job keeps between its attempts, and its finished files, both in the storage."""

from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

from service.engine.job_files import artefact_of, artefact_path, checkpoint_path
from service.engine.runtime import Runtime
from service.engine.store import Job
from tasks.sdk.errors import Permanent


class JobOutputs:
    """The files of one attempt's job. A part keeps and finishes its files under its parent."""

    job: Job
    runtime: Runtime
    owner: str
    artefacts: list[dict[str, Any]]

    async def keep(self, name: str, data: bytes) -> None:
        """Keep an intermediate result under the job."""
        await self.runtime.storage.put(checkpoint_path(self.job.root, name), data)

    async def kept(self, prefix: str = "") -> list[str]:
        """Sorted names of what has been kept under `prefix`."""
        base = checkpoint_path(self.job.root, "")
        found = await self.runtime.storage.list(base)
        return sorted(path[len(base) :] for path in found if path.startswith(base + prefix))

    async def recall(self, name: str) -> bytes | None:
        """The bytes kept under `name`, or None."""
        path = checkpoint_path(self.job.root, name)
        if not await self.runtime.storage.exists(path):
            return None
        return await self.runtime.storage.get(path)

    async def artefact(self, name: str, data: bytes | Path | AsyncIterator[bytes], media_type: str) -> None:
        """Put a finished file under the job, whole."""
        path = artefact_path(self.job.root, name)
        await self.runtime.storage.put(path, data)
        size = await self.runtime.storage.size(path)
        self.artefacts = [one for one in self.artefacts if one["name"] != name]
        self.artefacts.append({"name": name, "bytes": size, "media_type": media_type})

    async def artefact_of(self, job_id: str, name: str) -> bytes:
        """A finished file of another job of the same owner."""
        other = await self.runtime.store.until_back.get(job_id)
        if other is None or other.owner != self.owner:
            raise Permanent(f"There is no job {job_id[:80]}.")
        path = artefact_of(other, name)
        if path is None:
            raise Permanent(f"The job {job_id} has no file {name[:80]!r}.")
        return await self.runtime.storage.get(path)
