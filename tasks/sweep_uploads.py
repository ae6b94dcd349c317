"""The hourly sweep of what broken-off uploads and dead workers left on the disk."""

from settings.queues import Queue
from tasks.ports.upkeep import Leftovers, Swept
from tasks.sdk import Payload, Run, job

UPLOAD_QUIET_S = 3_600
"""An upload that has brought nothing for an hour was broken off: servers and proxies give up after minutes."""

SCRATCH_QUIET_S = 2 * 86_400
"""A scratch folder that has not been written to for two days is a dead worker's: the longest time limit is a day."""


class SweepUploads(Payload, frozen=True):
    """Nothing to choose."""


@job(queue=Queue.THUMBNAILS, public=False, timeout_s=600, expected_s=0.5)
async def sweep_uploads(payload: SweepUploads, run: Run) -> Swept:
    """Remove temporary uploads and scratch folders that were abandoned."""
    leftovers = run.use(Leftovers)
    uploads = await leftovers.uploads(UPLOAD_QUIET_S)
    scratch = await leftovers.scratch(SCRATCH_QUIET_S)
    return Swept(uploads.files + scratch.files, uploads.bytes + scratch.bytes)
