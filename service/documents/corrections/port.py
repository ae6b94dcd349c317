"""`CorrectionPort`: tasks/ports/corrections.py over the database, the store and the storage."""

from collections.abc import Mapping, Sequence

from service.documents.corrections import doubtful
from service.documents.corrections.readings import Readings, page_total
from service.documents.corrections.revising import Revising
from service.documents.corrections.rows import CorrectionRows
from service.documents.store import DocumentStore
from service.engine.job_files import checkpoint_path
from tasks.ocr.corrections import PageCorrection, corrected
from tasks.ocr.pages import checkpoint_name
from tasks.ocr.words import decode
from tasks.ports.corrections import DoubtfulPage, EngineCount
from tasks.sdk import Run
from tasks.sdk.errors import Permanent


class CorrectionPort:
    """Corrections as tasks see them."""

    def __init__(self, rows: CorrectionRows, readings: Readings, revising: Revising, files: DocumentStore) -> None:
        self.rows = rows
        self.readings = readings
        self.revising = revising
        self.files = files

    async def turned(self, file_id: str) -> Mapping[int, int]:
        """Degrees by page for the pages that a person has turned."""
        corrections = await self.rows.of_document(await self.files.describe(file_id))
        return {page: one.turned for page, one in corrections.items() if one.turned is not None}

    async def begin(self, job_id: str, file_id: str) -> Mapping[int, PageCorrection]:
        """The corrections, for the files that a reading is about to write."""
        return await self.rows.begin(await self.files.describe(file_id), job_id)

    async def finished(
        self, job_id: str, file_id: str, doubtful_pages: Sequence[DoubtfulPage], counts: Mapping[str, EngineCount]
    ) -> None:
        """List the doubtful pages of a reading and count its pages."""
        document = await self.files.describe(file_id)
        await doubtful.read(self.rows.database, document, job_id, doubtful_pages, counts)

    async def reading_of(self, file_id: str) -> tuple[str, int] | None:
        """Id and pages of the newest completed reading."""
        job = await self.readings.newest(file_id)
        return (job.id, page_total(job)) if job else None

    async def read_again(self, file_id: str, page: int, data: bytes, turned: int | None, run: Run) -> str:
        """Put a page's new reading in place of its old one, and write the files again."""
        document = await self.files.describe(file_id)
        job = await self.readings.newest(file_id)
        if job is None:
            raise Permanent(f"{document.name} has no completed reading any more.")
        # A death in between leaves the new page under the old version's number: a change made from the old one is
        # refused by its digest, and the next attempt goes on from here.
        await self.readings.storage.put(checkpoint_path(job.root, checkpoint_name(page)), data)
        base = decode(data)

        def changed(stored: PageCorrection) -> PageCorrection:
            return PageCorrection(stored.edits, stored.approved, stored.turned if turned is None else turned)

        stored = await self.rows.change(
            document, page, changed, version=None, by=run.owner, job_id=job.id, engine=base.engine or ""
        )
        await doubtful.judged(self.rows.database, document, corrected(base, stored.correction))
        await self.revising.revise(job.id, run)
        return job.id

    async def revise(self, job_id: str, run: Run) -> bool:
        """Write the files of a completed reading again."""
        try:
            return await self.revising.revise(job_id, run) is not None
        except Permanent:
            # It could not do better the next time either.
            await self.rows.forget([job_id])
            raise
