"""The monthly clean-up of the storage."""

from settings.queues import Queue
from tasks.csv_export import KEEP_DAYS
from tasks.ports.upkeep import Leftovers, Swept
from tasks.sdk import Payload, Run, job

UNNAMED_QUIET_S = 86_400
"""A file is stored a moment before its record says so; a day later there is either a record or there was a crash."""


class DeleteExpiredFiles(Payload, frozen=True):
    """Nothing to choose."""


@job(queue=Queue.THUMBNAILS, public=False, timeout_s=3_600, expected_s=2.0)
async def delete_expired_files(payload: DeleteExpiredFiles, run: Run) -> Swept:
    """Remove export files whose time is over, and stored files and campaigns that no record names."""
    leftovers = run.use(Leftovers)
    expired = await leftovers.exports(KEEP_DAYS * 86_400)
    await run.stage(50, "Looking for files that no record names")
    unnamed = await leftovers.unnamed(UNNAMED_QUIET_S)
    campaigns = await leftovers.campaigns(UNNAMED_QUIET_S)
    return Swept(expired.files + unnamed.files, expired.bytes + unnamed.bytes, campaigns)
