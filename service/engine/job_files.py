"""Jobs with the files that go with them: what has to touch both the store and the storage."""

from collections.abc import Awaitable, Callable, Mapping, Sequence
from typing import Any

from service.engine.store import Job, Store
from service.lib.storage.object_storage import Storage


def folder(root: str) -> str:
    """Paths of a job's files in storage."""
    return f"jobs/{root}"


def checkpoint_path(root: str, name: str) -> str:
    """An intermediate result that a retry does not repeat."""
    return f"{folder(root)}/kept/{name}"


def artefact_path(root: str, name: str) -> str:
    """A finished file that the job's owner may download."""
    return f"{folder(root)}/files/{name}"


def revision_folder(root: str, revision: str) -> str:
    """Paths of files that were written again after the job had ended, all those of one revision together."""
    return f"{folder(root)}/revised/{revision}"


def path_of(job: Job, artefact: Mapping[str, Any]) -> str:
    """Storage path of an artefact as a job's record lists it."""
    if revision := artefact.get("revision"):
        return f"{revision_folder(job.root, revision)}/{artefact['name']}"
    return artefact_path(job.root, artefact["name"])


def artefact_of(job: Job, name: str) -> str | None:
    """Storage path of a job's artefact, or None when it has none of that name."""
    return next((path_of(job, one) for one in job.artefacts if one["name"] == name), None)


Forget = Callable[[Sequence[str]], Awaitable[object]]
"""Removes what is kept elsewhere under the ids of jobs that are gone for good."""


class JobFiles:
    """Actions on a job and its files together."""

    def __init__(self, store: Store, storage: Storage, forget: Sequence[Forget] = ()) -> None:
        self.store = store
        self.storage = storage
        self._forget = forget

    def of(self, store: Store) -> "JobFiles":
        """The same for the jobs of one server."""
        return JobFiles(store, self.storage, self._forget)

    def artefact(self, job: Job, name: str) -> str | None:
        """As `artefact_of`."""
        return artefact_of(job, name)

    async def delete(self, job_id: str) -> None:
        """Put an ended job into the bin; its files go when the bin is emptied. Raises NoSuchJob, WrongState."""
        await self.store.delete(job_id)

    async def purge(self, job_ids: Sequence[str]) -> None:
        """Remove ended jobs for good, with their files.

        The files go first: a crash in between leaves records that the next sweep finds, not files without a record.
        What guards against doing a job's work twice goes last: a job that was restored in the meantime still needs it.
        """
        for job_id in job_ids:
            await self.storage.delete_prefix(folder(job_id) + "/")
        if await self.store.purged(job_ids):
            gone = await self.store.unknown(job_ids)
            for forget in self._forget:
                await forget(gone)
