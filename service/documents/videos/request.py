"""Requests for a format that is not there: one job, however often and from wherever it is asked for."""

from service.database import Document
from service.engine.enqueuer import Enqueuer
from service.engine.job_requests import Accepted
from service.engine.states import State
from tasks.video.formats import RECIPE, Format, Size, scaled
from tasks.video_transcode import VideoTranscode, units_of, video_transcode

CHAIN_MAX = 10
"""Jobs of one format that may have ended without it before the last of them is simply named again."""


async def request_video(enqueuer: Enqueuer, document: Document, format: Format) -> Accepted:
    """The job that makes a format of a video: a running one, or a new one. Raises TooManyQueued."""
    payload = VideoTranscode(file_id=document.file_id, formats=[format])
    units = units_of(scaled(Size(document.width or 0, document.height or 0), format), document.seconds or 0)
    # A client's own key is printable, so that none of them can be in the way of these.
    key = f"\x1fvideo {RECIPE} {document.file_id} {format}"
    for _ in range(CHAIN_MAX):
        accepted = await enqueuer.enqueue(
            video_transcode, payload, owner=document.owner, idempotency_key=key, units=units
        )
        if not State(accepted.status).terminal:
            break
        # That job has ended and the file is not there: its id leads everybody who asks now to the same next one.
        key = f"\x1fvideo {RECIPE} after {accepted.job_id}"
    return accepted
