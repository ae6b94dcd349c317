"""A document's newest completed reading, and the pages that it keeps, with the corrections laid over them."""

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass, field

import msgspec

from service.database import Document
from service.documents.corrections.rows import NOT_CORRECTED, CorrectionRows, PageChanged, StoredCorrection
from service.engine.job_files import checkpoint_path
from service.engine.states import State
from service.engine.store import Job, Store
from service.lib.storage.object_storage import NoSuchObject, Storage
from tasks.ocr.corrections import corrected, text_digest
from tasks.ocr.pages import checkpoint_name
from tasks.ocr.words import PageText, decode
from tasks.sdk.errors import Refused

READ_BYTES_MAX = 8 << 20
"""Bytes of what is kept of one page, its words with their places. A page of a newspaper is a tenth of it."""

READING, REREADING = "pdf-ocr", "pdf-ocr-page"

REREADINGS_EXAMINED = 25
"""Newest readings of single pages of a document among which one that is under way is looked for."""


@dataclass(frozen=True)
class DocumentPage:
    """Page `number` of `total` as the reading `job` has it. `read` is None where it was not read, for the `reason`."""

    document: Document
    job: Job
    number: int
    total: int
    base: PageText | None
    """As the engine read it."""
    read: PageText | None
    """With its corrections."""
    stored: StoredCorrection = NOT_CORRECTED
    digest: str = ""
    reason: str = ""
    rereading: Job | None = None
    """The job that is reading it again."""
    doubtful: Sequence[int] = field(default=())

    @property
    def version(self) -> str:
        """Token of what is shown: a change names the one that it was made from."""
        return f"{self.stored.version}-{self.digest}"

    @property
    def approved(self) -> bool:
        """True where a person has found this very text to be right."""
        return self.read is not None and self.stored.correction.approved == text_digest(self.read)

    def check_version(self, given: str) -> int:
        """The version of the corrections, where `given` is the token of this page. Raises PageChanged."""
        if given != self.version:
            raise PageChanged(self.number, self.stored.updated_by)
        return self.stored.version


class Readings:
    """Readings of documents and the pages that they keep."""

    def __init__(self, rows: CorrectionRows, store: Store, storage: Storage) -> None:
        self.rows = rows
        self.store = store
        self.storage = storage

    async def newest(self, file_id: str) -> Job | None:
        """The newest completed reading of a document; None where there is none."""
        page = await self.store.list(type=READING, state=State.COMPLETED, search=("file_id", file_id), limit=1)
        return page.jobs[0] if page.jobs else None

    async def page(self, document: Document, number: int) -> DocumentPage:
        """A page of a document. Raises Refused (404) where it was not read, or has no such page."""
        job = await self.newest(document.file_id)
        if job is None:
            raise Refused(
                f"{document.name} has no completed reading: queue pdf-ocr for it first.", field="page", status_code=404
            )
        total = page_total(job)
        if not 1 <= number <= total:
            raise Refused(f"{document.name} has no page {number}: it has {total:,}.", field="page", status_code=404)
        data = await self.kept(job, number)
        stored = await self.rows.of_page(document, number)
        base = _decoded(data)
        reasons = {one.get("page"): one.get("reason", "") for one in _failed(job)}
        return DocumentPage(
            document,
            job,
            number,
            total,
            base,
            corrected(base, stored.correction) if base else None,
            stored,
            hashlib.sha256(data or b"").hexdigest()[:8],
            "" if base else str(reasons.get(number, "what was read of it is no longer kept")),
            await self.rereading(document.file_id, number),
            doubtful_numbers(job),
        )

    async def kept(self, job: Job, number: int) -> bytes | None:
        """A page as it was read; None where it was not, or is no longer kept."""
        path = checkpoint_path(job.root, checkpoint_name(number))
        try:
            if await self.storage.size(path) > READ_BYTES_MAX:
                return None
            return await self.storage.get(path)
        except NoSuchObject:
            return None

    async def rereading(self, file_id: str, number: int) -> Job | None:
        """The job that is reading a page again; None where none is."""
        found = await self.store.list(type=REREADING, search=("file_id", file_id), limit=REREADINGS_EXAMINED)
        return next((job for job in found.jobs if not job.state.terminal and job.payload.get("page") == number), None)


def page_total(job: Job) -> int:
    """Pages of the document that a job has read."""
    total = job.result.get("pages") if isinstance(job.result, dict) else None
    return total if isinstance(total, int) else 0


def doubtful_numbers(job: Job) -> list[int]:
    """Numbers of the pages that the reading holds for doubtful."""
    found = job.result.get("doubtful_pages") if isinstance(job.result, dict) else None
    return [page for page in found if isinstance(page, int)] if isinstance(found, list) else []


def _failed(job: Job) -> list[dict[str, object]]:
    found = job.result.get("failed_pages") if isinstance(job.result, dict) else None
    return [one for one in found if isinstance(one, dict)] if isinstance(found, list) else []


def _decoded(data: bytes | None) -> PageText | None:
    try:
        return decode(data) if data else None
    except msgspec.DecodeError:
        return None
