"""The same bytes of one owner, stored once: documents of equal bytes share the path of the first."""

import hashlib
from collections.abc import Collection, Sequence

from sqlalchemy import ColumnElement, Select, select, text
from sqlalchemy.ext.asyncio import AsyncSession

from service.database import Database, Document
from service.documents.malware import Scan
from service.lib.storage.object_storage import Storage

NOT_INFECTED = Document.scan.is_distinct_from(Scan.INFECTED)

SHARING_MAX = 50
"""Documents of the same bytes whose jobs are looked for."""


async def lock_bytes(database: Database, session: AsyncSession, owner: str, sha256: str) -> None:
    """Let no other transaction make or delete documents of these bytes until this one has ended.

    Without it two uploads would both find the bytes missing, or an upload would share a path that is being deleted. On
    SQLite the right to write is enough.
    """
    if not database.sqlite:
        digest = hashlib.sha256(f"{owner}\0{sha256}".encode()).digest()
        key = int.from_bytes(digest[:8], "big", signed=True)
        await session.execute(text("SELECT pg_advisory_xact_lock(:key)"), {"key": key})


async def lost_paths(database: Database, storage: Storage, owner: str, sha256: str) -> tuple[bool, set[str]]:
    """True where the owner's bytes are stored outside quarantine, and the paths at which they should be and are not.

    Bytes that vanished from the storage come back with their next upload.
    """
    async with database.reading() as session:
        paths = set(await session.scalars(select(Document.path).distinct().where(*_equal(owner, sha256), NOT_INFECTED)))
    lost = {path for path in paths if not await storage.exists(path)}
    return bool(paths - lost), lost


async def ids_of(database: Database, owner: str, sha256: str) -> Sequence[str]:
    """Ids of the owner's newest SHARING_MAX documents of these bytes."""
    query = select(Document.file_id).where(*_equal(owner, sha256)).order_by(Document.created_at.desc())
    async with database.reading() as session:
        return list(await session.scalars(query.limit(SHARING_MAX)))


async def documents_of(database: Database, owner: str, sha256: str, limit: int) -> Sequence[Document]:
    """The owner's documents of these bytes, oldest first, without those in quarantine."""
    found = select(Document).where(*_equal(owner, sha256), NOT_INFECTED)
    query = found.order_by(Document.created_at, Document.file_id)
    async with database.reading() as session:
        return list(await session.scalars(query.limit(limit)))


def first_of(owner: str, sha256: str, without: Collection[str]) -> Select[Document]:
    """Query for the oldest document of these bytes, none in quarantine, whose path is none of `without`."""
    oldest = select(Document).where(*_equal(owner, sha256), NOT_INFECTED, Document.path.not_in(without))
    return oldest.order_by(Document.created_at, Document.file_id).limit(1)


def sharing(document: Document) -> Select[str]:
    """Query for the id of another document at the same path."""
    return (
        select(Document.file_id)
        .where(*_equal(document.owner, document.sha256), Document.path == document.path)
        .limit(1)
    )


def _equal(owner: str, sha256: str) -> tuple[ColumnElement[bool], ...]:
    return Document.owner == owner, Document.sha256 == sha256
