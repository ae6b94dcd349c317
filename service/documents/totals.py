"""Totals of what owners keep here."""

from collections.abc import Collection, Mapping
from dataclasses import dataclass

from sqlalchemy import func, select

from service.database import Database, Document


@dataclass(frozen=True)
class DocumentTotals:
    """An owner's documents: their number and their bytes."""

    documents: int = 0
    bytes: int = 0


async def totals_of(database: Database, owners: Collection[str]) -> Mapping[str, DocumentTotals]:
    """Totals by owner; owners without documents are left out."""
    query = select(Document.owner, func.count(), func.coalesce(func.sum(Document.bytes), 0))
    async with database.reading() as session:
        found = await session.execute(query.where(Document.owner.in_(owners)).group_by(Document.owner))
        return {owner: DocumentTotals(documents, int(size)) for owner, documents, size in found}
