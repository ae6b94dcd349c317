"""An owner's limits on what it uploads: stored bytes, and pages a month."""

import math
from datetime import UTC, datetime

from sqlalchemy import func, select
from sqlalchemy.ext.asyncio import AsyncSession

from service.database import Document
from service.database.column_types import utc_now
from service.database.connection import Database
from service.database.owners import Owners, add_pages
from service.database.usage import add_entries, entry, stored_by_month
from service.engine.store.errors import OverLimit
from service.lib.clock import now_ms
from settings.plans import Limits

DELETE_RETRY_S = 3600
"""Retry-After in seconds where only its owner makes room, by deleting documents: an hour saves a client from trying for
nothing, and a person from waiting long."""


def month_of(at_ms: int) -> tuple[str, int]:
    """The calendar month (UTC) of a moment, such as 2026-11, and the seconds until the next one."""
    now = datetime.fromtimestamp(at_ms / 1000, UTC)
    following = datetime(now.year + now.month // 12, now.month % 12 + 1, 1, tzinfo=UTC)
    return f"{now:%Y-%m}", max(1, math.ceil((following - now).total_seconds()))


class Quota:
    """Counts uploads to their owners, and refuses those that are over a limit."""

    def __init__(self, database: Database, owners: Owners) -> None:
        self._database = database
        self._owners = owners

    async def refuse_early(self, owner: str, size: int) -> None:
        """Refuse an upload of at least `size` bytes that cannot have room, before it is received. Raises OverLimit."""
        limits = await self._owners.limits(owner)
        if limits.values.stored_bytes is None:
            return
        async with self._database.reading() as session:
            _check_bytes(limits, await _stored(session, owner), size, "or more")

    async def limits(self, owner: str) -> Limits:
        """Limits for `count`, read before its transaction: a writer of SQLite keeps all others waiting."""
        return await self._owners.limits(owner)

    async def count(self, session: AsyncSession, document: Document, limits: Limits, *, shared: bool) -> None:
        """Count a document within the transaction that keeps it; one whose bytes are `shared` takes none of its own.

        Raises OverLimit, and the transaction is to be undone.

        The row of the month is the lock: of two uploads that both had room alone, the second sees the first.
        """
        month, wait_s = month_of(now_ms())
        pages = document.pages or 0
        total = await add_pages(session, document.owner, month, pages)
        allowed = limits.values.pages_per_month
        if allowed is not None and pages and total > allowed:
            before = total - pages
            raise OverLimit(
                f"{limits.allows('pages_per_month')}: {before:,} were uploaded in {month} and this document has {pages:,}; "
                f"there is room again when the next month begins (UTC)",
                wait_s,
            )
        if limits.values.stored_bytes is not None:
            stored = await _stored(session, document.owner)
            _check_bytes(limits, stored, 0 if shared else document.bytes)


async def _stored(session: AsyncSession, owner: str) -> int:
    # Documents of the same bytes share a path.
    kept = select(Document.path, Document.bytes).distinct().where(Document.owner == owner).subquery()
    return int(await session.scalar(select(func.coalesce(func.sum(kept.c.bytes), 0))) or 0)


async def meter_removed(session: AsyncSession, document: Document) -> None:
    """Charge the bytes of a document that this transaction has removed for the time that no other one stands for them."""
    others = select(func.min(Document.created_at)).where(
        Document.owner == document.owner, Document.path == document.path
    )
    until = await session.scalar(others) or utc_now()
    spent = stored_by_month(document.bytes, document.created_at, until)
    await add_entries(session, [entry(document.owner, month, "stored_kb_s", by) for month, by in spent.items()])


def _check_bytes(limits: Limits, stored: int, more: int, at_least: str = "") -> None:
    allowed = limits.values.stored_bytes
    if allowed is not None and stored + more > allowed:
        size = f"{more:,} {at_least}".rstrip()
        raise OverLimit(
            f"{limits.allows('stored_bytes')}: {stored:,} are in use and this document has {size}; "
            "there is room again once documents are deleted",
            DELETE_RETRY_S,
        )
