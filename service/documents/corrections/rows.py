"""`CorrectionRows`: what people have said of the pages of documents, in the database."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

import msgspec
from sqlalchemy import delete, select, update
from sqlalchemy.ext.asyncio import AsyncSession

from service.database import Database, Document
from service.database.column_types import utc_now
from service.database.corrections import DoubtfulPageRow, PageCorrectionRow, ReadingRow
from service.documents.same_bytes import lock_bytes
from tasks.ocr.corrections import PageCorrection
from tasks.sdk.errors import Permanent


class PageChanged(Permanent):
    """The page is not any more what the change was made from."""

    def __init__(self, page: int, by: str) -> None:
        who = f" by {by}" if by else ""
        super().__init__(f"Page {page} was changed{who} since you opened it, and what you sent was not applied.")


@dataclass(frozen=True)
class StoredCorrection:
    """Corrections of a page with their version; 0 where there are none."""

    version: int
    correction: PageCorrection
    updated_by: str = ""
    updated_at: datetime | None = None


NOT_CORRECTED = StoredCorrection(0, PageCorrection())

Change = Callable[[PageCorrection], PageCorrection]


class CorrectionRows:
    """Corrections by the owner and the bytes of a document."""

    def __init__(self, database: Database) -> None:
        self.database = database

    async def of_page(self, document: Document, page: int) -> StoredCorrection:
        """The corrections of one page."""
        async with self.database.reading() as session:
            return _stored(await session.get(PageCorrectionRow, (document.owner, document.sha256, page)))

    async def of_document(self, document: Document) -> Mapping[int, PageCorrection]:
        """The corrections by page."""
        async with self.database.reading() as session:
            return await _by_page(session, document)

    async def change(
        self, document: Document, page: int, change: Change, *, version: int | None, by: str, job_id: str, engine: str
    ) -> StoredCorrection:
        """Change the corrections of a page that is at `version` (None for any), and mark the readings that must follow.

        `job_id` is the reading that the change was made from, `engine` what had read the page. Raises PageChanged.
        """
        async with self.database.writing() as session:
            await lock_bytes(self.database, session, document.owner, document.sha256)
            row = await session.get(PageCorrectionRow, (document.owner, document.sha256, page))
            stored = _stored(row)
            if version is not None and stored.version != version:
                raise PageChanged(page, stored.updated_by)
            changed = change(stored.correction)
            if row is None:
                row = PageCorrectionRow(owner=document.owner, sha256=document.sha256, page=page)
                session.add(row)
            row.version = stored.version + 1
            row.correction = msgspec.json.encode(changed).decode()
            row.edits, row.engine = len(changed.edits), engine
            row.updated_at, row.updated_by = utc_now(), by[:255]
            await self._mark_stale(session, document, job_id)
            return _stored(row)

    async def _mark_stale(self, session: AsyncSession, document: Document, job_id: str) -> None:
        if await session.get(ReadingRow, job_id) is None:
            session.add(_reading(document, job_id, counted=True))
            await session.flush()
        of_document = (ReadingRow.owner == document.owner) & (ReadingRow.sha256 == document.sha256)
        await session.execute(
            update(ReadingRow).where(of_document).values(stale=True, changes=ReadingRow.changes + 1),
            execution_options={"synchronize_session": False},
        )

    async def begin(self, document: Document, job_id: str) -> Mapping[int, PageCorrection]:
        """The corrections for the files of a reading, which from now on are revised after each change."""
        async with self.database.writing() as session:
            await lock_bytes(self.database, session, document.owner, document.sha256)
            row = await session.get(ReadingRow, job_id)
            if row is None:
                session.add(_reading(document, job_id))
            else:
                row.stale = False
            return await _by_page(session, document)

    async def to_revise(self, document: Document, job_id: str) -> tuple[int, Mapping[int, PageCorrection]]:
        """The corrections, and how many changes they are: to be compared once the files are written."""
        async with self.database.reading() as session:
            row = await session.get(ReadingRow, job_id)
            return row.changes if row else 0, await _by_page(session, document)

    async def revised(self, job_id: str, changes: int) -> bool:
        """Note that a reading's files have so many changes. False where another has come since."""
        mine = (ReadingRow.job_id == job_id) & (ReadingRow.changes == changes)
        async with self.database.writing() as session:
            await session.execute(update(ReadingRow).where(mine).values(stale=False))
            row = await session.get(ReadingRow, job_id)
            return row is None or not row.stale

    async def stale(self, limit: int) -> Sequence[ReadingRow]:
        """Readings whose files lack a change, oldest first."""
        query = select(ReadingRow).where(ReadingRow.stale.is_(True)).order_by(ReadingRow.created_at).limit(limit)
        async with self.database.reading() as session:
            return list(await session.scalars(query))

    async def stale_of(self, document: Document) -> Sequence[ReadingRow]:
        """Those of one document."""
        mine = (ReadingRow.owner == document.owner) & (ReadingRow.sha256 == document.sha256)
        async with self.database.reading() as session:
            return list(await session.scalars(select(ReadingRow).where(mine, ReadingRow.stale.is_(True))))

    async def forget(self, job_ids: Sequence[str]) -> None:
        """Remove the rows of readings that are gone, or need not follow any more."""
        if job_ids:
            async with self.database.writing() as session:
                await session.execute(delete(ReadingRow).where(ReadingRow.job_id.in_(list(job_ids))))


async def forget_document(session: AsyncSession, document: Document) -> None:
    """Remove what people have said of a document that is being deleted, unless its owner has another of the same bytes."""
    same = (Document.owner == document.owner) & (Document.sha256 == document.sha256)
    other = await session.scalar(select(Document.file_id).where(same, Document.file_id != document.file_id).limit(1))
    await session.execute(delete(ReadingRow).where(ReadingRow.file_id == document.file_id))
    if other:
        shown = update(DoubtfulPageRow).where(DoubtfulPageRow.file_id == document.file_id)
        await session.execute(shown.values(file_id=other))
        return
    for table in (PageCorrectionRow, DoubtfulPageRow, ReadingRow):
        mine = (table.owner == document.owner) & (table.sha256 == document.sha256)
        await session.execute(delete(table).where(mine))


async def _by_page(session: AsyncSession, document: Document) -> dict[int, PageCorrection]:
    mine = (PageCorrectionRow.owner == document.owner) & (PageCorrectionRow.sha256 == document.sha256)
    rows = await session.execute(select(PageCorrectionRow.page, PageCorrectionRow.correction).where(mine))
    return {page: msgspec.json.decode(text, type=PageCorrection) for page, text in rows}


def _reading(document: Document, job_id: str, *, counted: bool = False) -> ReadingRow:
    return ReadingRow(
        job_id=job_id,
        owner=document.owner,
        sha256=document.sha256,
        file_id=document.file_id,
        changes=0,
        stale=False,
        counted=counted,
    )


def _stored(row: PageCorrectionRow | None) -> StoredCorrection:
    if row is None:
        return NOT_CORRECTED
    correction = msgspec.json.decode(row.correction, type=PageCorrection)
    return StoredCorrection(row.version, correction, row.updated_by, row.updated_at)
