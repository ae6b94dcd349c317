"""Pages that wait for a person: listed as readings end, a page of the list at a time, whatever its length."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import Select, func, select, tuple_, update
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.ext.asyncio import AsyncSession

from service.database import Database, Document
from service.database.column_types import utc_now
from service.database.corrections import DoubtfulPageRow, ReadingCount, ReadingRow
from service.documents.same_bytes import lock_bytes
from tasks.ocr.doubt_kinds import kind_of
from tasks.ocr.words import PageText
from tasks.ports.corrections import DoubtfulPage, EngineCount

COUNTED_MAX = 10_000
"""Pages that are counted one by one; of more than that no person needs the exact number."""

OWN_TEXT = "text-layer"
"""Stands in the place of an engine for a page whose own text was taken."""

FILTERS = ("owner", "engine", "reason", "media_type", "file_id")


@dataclass(frozen=True)
class DoubtfulFilter:
    """A filter of the list; an empty word fits everything. `engine` "text-layer" stands for a page's own text."""

    owner: str = ""
    engine: str = ""
    reason: str = ""
    media_type: str = ""
    file_id: str = ""


async def list_doubtful(
    database: Database, wanted: DoubtfulFilter, *, limit: int, after: DoubtfulPageRow | None = None
) -> Sequence[DoubtfulPageRow]:
    """Open pages, those that have waited longest first, behind `after`."""
    query = _open(select(DoubtfulPageRow), wanted).order_by(*_order).limit(limit)
    if after is not None:
        query = query.where(tuple_(*_order) > tuple_(after.found_at, after.sha256, after.page, after.owner))
    async with database.reading() as session:
        return list(await session.scalars(query))


async def count_doubtful(database: Database, wanted: DoubtfulFilter) -> int:
    """Open pages, up to COUNTED_MAX + 1."""
    some = _open(select(DoubtfulPageRow.page), wanted).limit(COUNTED_MAX + 1).subquery()
    async with database.reading() as session:
        return await session.scalar(select(func.count()).select_from(some)) or 0


async def doubtful_row(database: Database, document: Document, page: int) -> DoubtfulPageRow | None:
    """The row of a page, whatever its state; None for one that was never doubtful."""
    async with database.reading() as session:
        return await session.get(DoubtfulPageRow, (document.owner, document.sha256, page))


async def doubtful_of(database: Database, document: Document) -> Sequence[DoubtfulPageRow]:
    """All pages of a document that were ever doubtful, in order."""
    mine = (DoubtfulPageRow.owner == document.owner) & (DoubtfulPageRow.sha256 == document.sha256)
    async with database.reading() as session:
        return list(await session.scalars(select(DoubtfulPageRow).where(mine).order_by(DoubtfulPageRow.page)))


async def judged(database: Database, document: Document, page: PageText) -> None:
    """Bring the row of a page that a person has changed up to date."""
    async with database.writing() as session:
        row = await session.get(DoubtfulPageRow, (document.owner, document.sha256, page.page))
        if row is not None:
            row.state = "open" if page.doubtful else "done"
            row.confidence = page.confidence
            if page.doubtful:
                row.doubt, row.reason = page.doubt or "", kind_of(page.doubt)
        elif page.doubtful:
            listed = DoubtfulPage(page.page, page.engine or "", page.doubt or "", page.confidence)
            session.add(_row(document, listed))


async def read(
    database: Database,
    document: Document,
    job_id: str,
    doubtful: Sequence[DoubtfulPage],
    counts: Mapping[str, EngineCount],
) -> None:
    """List the doubtful pages of a reading, end those that it read well, and count its pages unless they are counted."""
    async with database.writing() as session:
        await lock_bytes(database, session, document.owner, document.sha256)
        mine = (DoubtfulPageRow.owner == document.owner) & (DoubtfulPageRow.sha256 == document.sha256)
        known = {row.page: row for row in await session.scalars(select(DoubtfulPageRow).where(mine))}
        for one in doubtful:
            row = known.pop(one.page, None)
            if row is None:
                session.add(_row(document, one))
                continue
            if row.state != "open":
                row.state, row.found_at = "open", utc_now()
            row.engine, row.doubt, row.reason = one.engine or OWN_TEXT, one.doubt, kind_of(one.doubt)
            row.confidence, row.file_id = one.confidence, document.file_id
        well = [page for page, row in known.items() if row.state == "open"]
        for start in range(0, len(well), 500):
            some = DoubtfulPageRow.page.in_(well[start : start + 500])
            await session.execute(update(DoubtfulPageRow).where(mine, some).values(state="done"))
        reading = await session.get(ReadingRow, job_id)
        if reading is not None and not reading.counted:
            reading.counted = True
            for engine, count in counts.items():
                await add_counts(database, session, document, engine, count._asdict())


async def add_counts(
    database: Database, session: AsyncSession, document: Document, engine: str, counts: Mapping[str, int]
) -> None:
    """Add to the counts of this day, by the document's source and an engine."""
    insert = sqlite.insert(ReadingCount) if database.sqlite else postgresql.insert(ReadingCount)
    zero = dict.fromkeys(("pages", "doubtful", "failed", "corrected"), 0)
    key = {
        "day": utc_now().date().isoformat(),
        "owner": document.owner,
        "media_type": document.media_type,
        "engine": engine or OWN_TEXT,
    }
    await session.execute(
        insert.values(**key, **zero | dict(counts)).on_conflict_do_update(
            index_elements=list(key),
            set_={name: getattr(ReadingCount, name) + number for name, number in counts.items()},
        )
    )


_order = (DoubtfulPageRow.found_at, DoubtfulPageRow.sha256, DoubtfulPageRow.page, DoubtfulPageRow.owner)


def _open(query: Select[Any], wanted: DoubtfulFilter) -> Select[Any]:
    query = query.where(DoubtfulPageRow.state == "open")
    for name in FILTERS:
        if value := getattr(wanted, name):
            query = query.where(getattr(DoubtfulPageRow, name) == value)
    return query


def _row(document: Document, one: DoubtfulPage) -> DoubtfulPageRow:
    return DoubtfulPageRow(
        owner=document.owner,
        sha256=document.sha256,
        page=one.page,
        file_id=document.file_id,
        media_type=document.media_type,
        engine=one.engine or OWN_TEXT,
        reason=kind_of(one.doubt),
        doubt=one.doubt,
        confidence=one.confidence,
        state="open",
        found_at=utc_now(),
    )
