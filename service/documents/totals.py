"""Totals of what owners keep here."""

from collections.abc import Collection, Mapping
from dataclasses import dataclass

from sqlalchemy import func, select

from service.database import Database, Document


@dataclass(frozen=True)
class DocumentTotals:
    """An owner's documents: their number, and the bytes that they take: those of the same bytes share them."""

    documents: int = 0
    bytes: int = 0


async def totals_of(database: Database, owners: Collection[str]) -> Mapping[str, DocumentTotals]:
    """Totals by owner; owners without documents are left out."""
    query = select(Document.owner, func.count())
    async with database.reading() as session:
        found = await session.execute(query.where(Document.owner.in_(owners)).group_by(Document.owner))
        numbers = {row[0]: row[1] for row in found}
        stored = (
            select(Document.owner, Document.path, Document.bytes)
            .distinct()
            .where(Document.owner.in_(owners))
            .subquery()
        )
        sizes = await session.execute(select(stored.c.owner, func.sum(stored.c.bytes)).group_by(stored.c.owner))
        return {owner: DocumentTotals(numbers.get(owner, 0), int(size)) for owner, size in sizes}
