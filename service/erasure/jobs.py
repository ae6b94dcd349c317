"""Jobs of an erasure: cancelled where they have not ended, and removed with their files."""

import asyncio
import time
from collections.abc import Sequence

from service.database import Database
from service.documents.corrections.rows import CorrectionRows
from service.engine.job_files import JobFiles
from service.engine.store import NoSuchJob, Store, WrongState
from service.lib.storage.object_storage import Storage
from service.mail.campaign_removal import CampaignRemoval

STOP_S = 60.0
"""Longest wait for running jobs to end: a worker stops a task within ten seconds, unless it is away."""

AT_ONCE = 200


class StillRunning(Exception):
    """A job does not end. The message is a sentence."""


def job_files(store: Store, storage: Storage, database: Database) -> JobFiles:
    """Files of jobs, with all that the rooms of the service keep under the ids of jobs and that goes with them."""
    return JobFiles(store, storage, [CampaignRemoval(database).forget, CorrectionRows(database).forget])


async def remove_jobs(store: Store, files: JobFiles, ids: Sequence[str], wait_s: float = STOP_S) -> int:
    """Cancel those that have not ended, wait for them, and remove all for good. Returns how many went. Raises StillRunning."""
    for job_id in ids:
        try:
            await store.cancel(job_id)
        except (WrongState, NoSuchJob):
            continue
    await _ended(store, ids, wait_s)
    for start in range(0, len(ids), AT_ONCE):
        await files.purge(ids[start : start + AT_ONCE])
    return len(ids)


async def _ended(store: Store, ids: Sequence[str], wait_s: float) -> None:
    until_s = time.monotonic() + wait_s
    left = list(ids)
    while left:
        found = await store.get_many(left)
        left = [job.id for job in found if job is not None and not job.state.terminal]
        if left and time.monotonic() > until_s:
            job = await store.present(left[0])
            raise StillRunning(
                f"The job {job.id} was asked to stop {wait_s:.0f} seconds ago and still runs on the worker {job.worker or '?'}. "
                "What was removed so far stays removed: end that worker, and run the command again."
            )
        if left:
            await asyncio.sleep(0.1)
