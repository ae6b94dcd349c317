"""Totals of what an owner keeps here."""

from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import func, select

from service.database import Database, Document


@dataclass(frozen=True)
class Kept:
    """An owner's documents: their number, their bytes, and the pages of those that came since some moment."""

    documents: int
    bytes: int
    pages: int


async def kept_by(database: Database, owner: str, since: datetime) -> Kept:
    """Totals of an owner; pages of documents uploaded since then."""
    async with database.reading() as session:
        own = select(func.count(), func.coalesce(func.sum(Document.bytes), 0)).where(Document.owner == owner)
        documents, size = (await session.execute(own)).one()
        newer = select(func.coalesce(func.sum(Document.pages), 0)).where(
            Document.owner == owner, Document.created_at >= since
        )
        pages = await session.scalar(newer)
    return Kept(documents, int(size), int(pages or 0))
