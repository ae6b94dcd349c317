"""A page of a document next to the text read on it."""

from collections.abc import Sequence
from dataclasses import dataclass

import msgspec

from dashboard.previews.reasons import reasons_by
from dashboard.previews.view_query import View
from service.engine.job_files import checkpoint_path, path_of
from service.engine.store import Job
from service.lib.storage.object_storage import NoSuchObject
from service.services import Services
from tasks.ocr.pages import checkpoint_name
from tasks.ocr.words import PageText, decode

SHOWN_CHARACTERS = 20_000
"""Of one page: five times what a page of a book has, and nothing that freezes a browser."""

READ_BYTES_MAX = 8 << 20
"""Of what is kept of one page, its words with their places. A page of a newspaper is a tenth of it."""

BEGINNING_BYTES = 4_096
"""Of a text that is not known by its pages: enough to see whether it was read well. The whole is one click away."""


@dataclass(frozen=True)
class ReadPage:
    """Page `number` of `total`. `read` is None where there is only a `reason` why it was not read."""

    number: int
    total: int
    read: PageText | None
    text: str
    cut: bool
    reason: str
    doubtful: Sequence[int] = ()
    """Doubtful pages of the document, in order."""
    template: str = "previews/pages.html"

    @property
    def next_doubtful(self) -> int | None:
        """The doubtful page after this one, and after the last of them the first; None where there is no other."""
        others = [page for page in self.doubtful if page != self.number]
        return next((page for page in others if page > self.number), others[0] if others else None)


@dataclass(frozen=True)
class Beginning:
    """The beginning of a text."""

    text: str
    template: str = "previews/beginning.html"


async def page_preview(services: Services, job: Job, view: View) -> ReadPage | Beginning | None:
    """The page that is looked at; the text's beginning where its pages are not kept; None where there is nothing."""
    total = page_count(job)
    if total:
        number = min(view.page, total)
        read = await stored_page(services, job, number)
        reason = reasons_by(job, "failed_pages", "page").get(number, "")
        if read or reason:
            text = read.text if read else ""
            cut = len(text) > SHOWN_CHARACTERS
            return ReadPage(number, total, read, text[:SHOWN_CHARACTERS], cut, reason, doubtful_pages(job))
    return await _beginning(services, job)


def page_count(job: Job) -> int:
    """Pages of the document, as the job has counted them; 0 where it has not."""
    counted = job.data.get("total_pages")
    return counted if isinstance(counted, int) else 0


def doubtful_pages(job: Job) -> list[int]:
    """Numbers of the pages that were read doubtfully, as the job has counted them."""
    counted = job.data.get("doubtful_pages")
    return [page for page in counted if isinstance(page, int)] if isinstance(counted, list) else []


async def stored_page(services: Services, job: Job, number: int) -> PageText | None:
    """The text read on a page, however long the document is; None where it was not read."""
    path = checkpoint_path(job.root, checkpoint_name(number))
    try:
        if await services.storage.size(path) > READ_BYTES_MAX:
            return None
        return decode(await services.storage.get(path))
    except (NoSuchObject, msgspec.DecodeError):
        return None


async def _beginning(services: Services, job: Job) -> Beginning | None:
    path = next((path_of(job, one) for one in job.artefacts if one["media_type"].startswith("text/plain")), None)
    if path is None:
        return None
    try:
        chunks = [c async for c in await services.storage.stream(path, 0, BEGINNING_BYTES)]
    except NoSuchObject:
        return None
    return Beginning(b"".join(chunks).decode("utf-8", "ignore"))
