"""Quarantine: the bytes of an infected document stay in the storage, and nothing but a deletion reaches them."""

from collections.abc import Awaitable, Callable, Sequence
from pathlib import Path

from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncSession

from service.database import Database, Document
from service.database.column_types import utc_now
from service.documents.malware import Scan
from service.documents.quota import Quota
from service.documents.same_bytes import lock_bytes
from service.lib.storage.object_storage import Storage

Quarantined = Callable[[Document], Awaitable[None]]
"""Called for each document in which malware was found."""


async def infect(session: AsyncSession, sha256: str, signature: str) -> Sequence[Document]:
    """Put every document of these bytes, of any owner, in quarantine. Returns those that were not in it."""
    same = (Document.sha256 == sha256, Document.scan.is_distinct_from(Scan.INFECTED))
    found = list(await session.scalars(select(Document).where(*same)))
    for document in found:
        document.scan, document.signature, document.scanned_at = Scan.INFECTED, signature, utc_now()
    return found


async def put_in_quarantine(
    database: Database, storage: Storage, quota: Quota, document: Document, source: Path | None
) -> tuple[Document, Sequence[Document]]:
    """Keep an infected upload, once for its owner; `source` None: its bytes are in their place.

    Returns the document that the owner has of it, and all that were put in quarantine with it. Raises OverLimit.
    """
    limits = await quota.limits(document.owner)
    if source is not None:
        await storage.move_in(document.path, source)
    async with database.writing() as session:
        await lock_bytes(database, session, document.owner, document.sha256)
        found = await infect(session, document.sha256, document.signature or "")
        own = (Document.owner == document.owner, Document.sha256 == document.sha256, Document.scan == Scan.INFECTED)
        kept: Document | None = await session.scalar(
            select(Document).where(*own).order_by(Document.created_at).limit(1)
        )
        if kept is not None:
            return kept, found
        await quota.count(session, document, limits, shared=False)
        session.add(document)
    return document, [*found, document]
