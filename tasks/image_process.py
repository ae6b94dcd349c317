"""A photo as an app shows it: cover and preview, and what the camera wrote about it."""

from typing import Any

from settings.queues import Queue
from tasks.images.photo_facts import Photo, PhotoFacts
from tasks.ports.files import Files
from tasks.ports.images import Images
from tasks.sdk import MemoryCeiling, Payload, Permanent, Refused, Run, job

PROCESS_TIMEOUT_S = 20.0
"""A preview needs more of a picture than a thumbnail does; the largest picture takes half of it."""


class ImageProcess(Payload, frozen=True, kw_only=True):
    """The uploaded image."""

    file_id: str


async def check_image(payload: ImageProcess, checks: Any) -> int:
    """The file must be the owner's, and an image."""
    document = await checks.file(payload.file_id)
    if not document.media_type.startswith("image/"):
        raise Refused(f"{document.name} is not an image.", field="file_id", status_code=415)
    return 1


@job(queue=Queue.THUMBNAILS, search_keys=("file_id",), expected_s=0.5, unit="image", accepts=check_image)
async def image_process(payload: ImageProcess, run: Run) -> PhotoFacts:
    """Make the cover and the preview of a photo and read what its camera wrote, but not where it was taken."""
    # The libraries of pictures are loaded where pictures are drawn, and by no other queue.
    from tasks.images.photo import process_photo

    images = run.use(Images)
    path = await run.use(Files).local(payload.file_id, run.scratch)
    await images.processing(payload.file_id, run.job_id)
    await run.stage(20, "The picture is there")
    try:
        photo: Photo = await run.cpu(process_photo, path, timeout_s=PROCESS_TIMEOUT_S)
    except (Permanent, TimeoutError, MemoryCeiling) as error:
        reason = str(error) if isinstance(error, Permanent) else f"The picture {error}."
        await images.failed(payload.file_id, reason)
        raise Permanent(reason) from None
    await run.stage(80, "Cover and preview made")
    await images.ready(payload.file_id, photo)
    return photo.facts
