"""The pictures that a job has made of documents or of a photo."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from dashboard.previews.reasons import reasons_by
from dashboard.previews.view_query import View
from service.documents.listing import documents_by_id
from service.engine.states import State
from service.engine.store import Job
from service.services import Services
from tasks.images.variants import FORMATS, SIZES

SHOWN = 12
"""Documents on a page of pictures: three rows of four."""


@dataclass(frozen=True)
class Thumbnail:
    """One document; `reason` says why it has no picture."""

    file_id: str
    name: str
    reason: str = ""


@dataclass(frozen=True)
class Thumbnails:
    """A page of documents with their pictures. `size` is the longest side in pixels."""

    shown: Sequence[Thumbnail]
    size: int
    number: int
    total: int
    documents: int
    template: str = "previews/thumbnails.html"


@dataclass(frozen=True)
class Photo:
    """A photo's cover and preview; what its camera wrote stands in the job's result."""

    template: str = "previews/photo.html"


async def thumbnails_preview(services: Services, job: Job, view: View) -> Thumbnails | None:
    """The page of pictures that is looked at; None until the job is done."""
    documents = document_ids(job)
    if not documents or job.state is not State.COMPLETED:
        return None
    total = -(-len(documents) // SHOWN)
    number = min(view.page, total)
    reasons = reasons_by(job, "failed_documents", "document_id")
    wanted = documents[(number - 1) * SHOWN : number * SHOWN]
    names = {one.file_id: one.name for one in await documents_by_id(services.database, wanted)}
    shown = [_thumbnail(one, names.get(one), reasons.get(one, "")) for one in wanted]
    return Thumbnails(shown, shown_size(job), number, total, len(documents))


def document_ids(job: Job) -> list[str]:
    """The documents that a job was asked for, each once."""
    given: Any = job.payload.get("document_ids")
    return list(dict.fromkeys(map(str, given))) if isinstance(given, list) else []


def shown_size(job: Job) -> int:
    """The size that is shown: of those that were made the smallest that fills its place, else the largest."""
    given: Any = job.payload.get("sizes")
    sizes = sorted(size for size in given if isinstance(size, int)) if isinstance(given, list) else list(SIZES)
    return next((size for size in sizes if size >= SIZES[1]), sizes[-1] if sizes else SIZES[1])


def shown_format(job: Job) -> Any:
    """The file format that is shown: the best of those that were made."""
    given = job.payload.get("formats") or FORMATS
    return next((one for one in FORMATS if one in given), FORMATS[0])


def _thumbnail(file_id: str, name: str | None, reason: str) -> Thumbnail:
    if name is None:
        return Thumbnail(file_id, file_id, reason or "The document has been deleted.")
    return Thumbnail(file_id, name, reason)
