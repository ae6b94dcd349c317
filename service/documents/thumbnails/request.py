"""Requests for a thumbnail that is not there: one job, however often and from wherever it is asked for."""

from service.database import Document
from service.engine.enqueuer import Enqueuer
from service.engine.job_requests import Accepted
from service.engine.states import State
from tasks.images.variants import RECIPE, SIZES
from tasks.thumbnails import ThumbnailsOf, thumbnails

CHAIN_MAX = 10
"""Jobs of one document that may have ended without its thumbnails before the last of them is simply named again."""


async def request_thumbnails(enqueuer: Enqueuer, document: Document, size: int) -> Accepted:
    """The job that makes the document's thumbnail: a running one, or a new one. Raises TooManyQueued.

    A list page asks for several sizes at once, so that the usual sizes are one job.
    """
    sizes = list(SIZES) if size in SIZES else [size]
    payload = ThumbnailsOf(document_ids=[document.file_id], sizes=sizes)
    # A client's own key is printable, so that none of them can be in the way of these.
    key = f"\x1fthumbnails {RECIPE} {document.file_id} {sizes}"
    for _ in range(CHAIN_MAX):
        accepted = await enqueuer.enqueue(thumbnails, payload, owner=document.owner, idempotency_key=key, units=1)
        if not State(accepted.status).terminal:
            break
        # That job has ended and the picture is gone again: its id leads everybody who asks now to the same next one.
        key = f"\x1fthumbnails {RECIPE} after {accepted.job_id}"
    return accepted
