"""A page of a document as a picture: drawn once in the process pool, then kept with the job."""

from pathlib import Path

from service.documents.store import NoSuchFile
from service.engine.job_files import artefact_of, checkpoint_path
from service.engine.store import Job
from service.lib.encryption import Unreadable
from service.lib.scratch import scratch_folder
from service.lib.storage.local_copy import copy_to
from service.lib.storage.object_storage import NoSuchObject
from service.services import Services
from tasks.images.pages import SIDE, page_picture
from tasks.sdk.errors import ChildDied, MemoryCeiling, OutOfMemory, Permanent, Refused

DRAW_TIMEOUT_S = 15.0
"""A page of some 50 MB of pictures takes two; behind it wait other people's uploads."""

SEARCHABLE = "searchable.pdf"


def picture_path(job: Job, number: int, turned: int = 0) -> str:
    """Path of a page's picture. Its size is in its name, so that another size is another picture."""
    return checkpoint_path(job.root, f"shown/{SIDE}-{number}{f'-{turned}' if turned else ''}.webp")


def refusal(job: Job, number: int) -> str:
    """Path of the reason why there is none: a page that breaks the reader breaks it once."""
    return checkpoint_path(job.root, f"shown/{SIDE}-{number}.txt")


async def drawn_page(services: Services, job: Job, number: int, turned: int = 0) -> bytes:
    """The picture (WebP), turned by so many degrees clockwise. Raises Refused (404 or 422) with one sentence."""
    for path in (picture_path(job, number, turned), refusal(job, number)):
        try:
            stored = await services.storage.get(path)
        except NoSuchObject:
            continue
        if path.endswith(".txt"):
            raise Refused(stored.decode(), field="page", status_code=422)
        return stored
    try:
        picture = await _drawn(services, job, number, turned)
    except Unreadable:
        # Of the keys, not of the page: once they are there it can be drawn.
        raise
    except (Permanent, TimeoutError, MemoryCeiling, ChildDied) as error:
        reason = str(error) if isinstance(error, Permanent) else f"Drawing page {number}: {error}."
        if not isinstance(error, OutOfMemory):
            # What else took the memory may be gone at the next request.
            await services.storage.put(refusal(job, number), reason.encode())
        raise Refused(reason, field="page", status_code=422) from None
    await services.storage.put(picture_path(job, number, turned), picture)
    return picture


async def _drawn(services: Services, job: Job, number: int, turned: int) -> bytes:
    with scratch_folder() as folder:
        path = await _document(services, job, folder)
        return await services.pool.run(page_picture, path, number - 1, turned, timeout_s=DRAW_TIMEOUT_S)


async def _document(services: Services, job: Job, folder: Path) -> Path:
    """The document, or, where that has been deleted, the searchable PDF that was made of it."""
    try:
        return await services.files.local(str(job.payload.get("file_id", "")), folder)
    except NoSuchFile as gone:
        made = artefact_of(job, SEARCHABLE)
        if made is None:
            raise Refused(str(gone), field="page", status_code=404) from None
    try:
        return await copy_to(services.storage, made, folder, SEARCHABLE)
    except NoSuchObject:
        raise Refused(f"{SEARCHABLE} is no longer there.", field="page", status_code=404) from None
