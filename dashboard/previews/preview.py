"""Preview of a job: by its type, and by what it has made so far."""

from dashboard.auth import User
from dashboard.previews.pages import Beginning, ReadPage, page_preview
from dashboard.previews.recipients import Recipients, campaign_of, recipients_preview
from dashboard.previews.tables import FirstRows, table_preview
from dashboard.previews.thumbnails import Photo, Thumbnails, thumbnails_preview
from dashboard.previews.view_query import View
from service.engine.states import State
from service.engine.store import Job
from service.services import Services

Preview = Beginning | FirstRows | Photo | ReadPage | Recipients | Thumbnails
"""Each names the `template` that shows it."""


async def preview_of(services: Services, job: Job, user: User, view: View) -> Preview | None:
    """The preview, or None where there is nothing to see (yet). Viewers see no personal values."""
    if campaign_id := campaign_of(job):
        return await recipients_preview(services, campaign_id, view, masked=not user.sees_personal)
    if not job.state.terminal or job.parent:
        return None
    if not user.sees_personal and job.type != "csv-export":
        # What a document says or looks like cannot be masked in part.
        return None
    match job.type:
        case "thumbnails":
            return await thumbnails_preview(services, job, view)
        case "image-process":
            return Photo() if job.state is State.COMPLETED else None
        case "csv-export":
            return await table_preview(services, job, masked=not user.sees_personal)
    return await page_preview(services, job, view)
