"""`Metering`: what owners have used, by calendar month (UTC), for bills.

The scripts add up in the queue server, in the same step that ends an attempt; the maintenance leader carries that over in batches,
each of which counts once however often it is taken. Messages and stored bytes are written by the transactions that they come from.
"""

import contextlib
from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

import structlog
from sqlalchemy import Float, Select, case, cast, delete, extract, func, select
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.ext.asyncio import AsyncSession

from service.database import Database, Document, OwnerMonth
from service.database.column_types import utc_now
from service.database.usage import (
    FIELDS,
    UsageBatch,
    UsageEntry,
    add_entries,
    entry,
    month_name,
    month_span,
)
from service.engine.redis.away import QueueServerAway
from service.engine.store.usage_counts import UsageCounts
from service.lib.outages import put_off
from service.lib.reminder import Reminder

log = structlog.get_logger("offload.metering")

ON_BEHALF = "webhooks:"
"""Beginning of the owner of delivery jobs: they are their owner's use."""

BATCHES_KEPT = timedelta(days=30)
"""Far longer than any process could hold a batch and still write it."""

FOLD_MAX = 5_000
"""Entries that one transaction adds up."""

DAY_S = 86_400


@dataclass(frozen=True)
class MonthUse:
    """Metered use of an owner in a month."""

    owner: str
    month: str
    jobs: int = 0
    """Completed; their parts are not counted."""
    pages_uploaded: int = 0
    pages_read: int = 0
    """Delivered by completed jobs: a page that was read twice because a worker died counts once."""
    cpu_ms: int = 0
    """As spent: attempts that failed or died count too."""
    mails: int = 0
    """Accepted by the mail server."""
    video_ms: int = 0
    """Length of the videos that were made into formats."""
    stored_kb_s: int = 0

    @property
    def cpu_seconds(self) -> float:
        """CPU time of attempts, in the pool's children, in programs and on the worker's loop."""
        return self.cpu_ms / 1000

    @property
    def video_minutes(self) -> float:
        """Minutes of video."""
        return round(self.video_ms / 60_000, 3)

    @property
    def stored_byte_days(self) -> int:
        """Bytes of documents × days that they were kept; the same bytes of an owner count once."""
        return round(self.stored_kb_s * 1000 / DAY_S)


@dataclass
class Metering:
    """Carries counts over, and reads them."""

    database: Database
    counts: UsageCounts

    def __post_init__(self) -> None:
        self.away = Reminder()

    async def carry(self) -> None:
        """A duty: write what the queue server has counted, and add up entries. Waits where the database is away."""
        with put_off(self.away, log, "usage.delayed"):
            for counts in self.counts.each():
                # What a server has counted waits there while it is away.
                with contextlib.suppress(QueueServerAway):
                    while await self._carry_batch(counts):
                        pass
            while await self._fold():
                pass

    async def _carry_batch(self, counts: UsageCounts) -> bool:
        """Write one batch; False where there is none."""
        batch = await counts.take()
        if batch is None:
            return False
        await self._write(batch.id, _entries(batch.counts))
        await counts.forget(batch)
        return True

    async def _write(self, batch_id: str, entries: Sequence[Mapping[str, object]]) -> None:
        """Write the entries of a batch, unless they were written before."""
        dialect = sqlite if self.database.sqlite else postgresql
        known = dialect.insert(UsageBatch).values(batch_id=batch_id, written_at=utc_now())
        async with self.database.writing() as session:
            await session.execute(delete(UsageBatch).where(UsageBatch.written_at < utc_now() - BATCHES_KEPT))
            new = await session.execute(known.on_conflict_do_nothing().returning(UsageBatch.batch_id))
            if new.scalar_one_or_none() is not None:
                await add_entries(session, entries)

    async def _fold(self) -> bool:
        """Add entries to the rows of their months; False where there are no more."""
        async with self.database.writing() as session:
            oldest = select(UsageEntry.id).order_by(UsageEntry.id).limit(FOLD_MAX)
            removal = delete(UsageEntry).where(UsageEntry.id.in_(oldest))
            columns = (UsageEntry.owner, UsageEntry.month, UsageEntry.field, UsageEntry.amount)
            rows = (await session.execute(removal.returning(*columns))).all()
            months: dict[tuple[str, str], dict[str, int]] = defaultdict(lambda: defaultdict(int))
            for owner, month, field, amount in rows:
                months[owner, month][field] += amount
            # In one order, so that two transactions at it cannot wait for each other.
            for (owner, month), amounts in sorted(months.items()):
                await _add(session, owner, month, amounts)
            return len(rows) == FOLD_MAX

    async def of_month(self, month: str, owners: Sequence[str] | None = None) -> list[MonthUse]:
        """Use in a month, of these owners or of all that have used anything, in order of their names."""
        found: dict[str, dict[str, int]] = defaultdict(lambda: defaultdict(int))
        async with self.database.reading() as session:
            columns = [getattr(OwnerMonth, field) for field in FIELDS]
            rows = select(OwnerMonth.owner, OwnerMonth.pages, *columns).where(OwnerMonth.month == month)
            entries = (
                select(UsageEntry.owner, UsageEntry.field, func.sum(UsageEntry.amount))
                .where(UsageEntry.month == month)
                .group_by(UsageEntry.owner, UsageEntry.field)
            )
            stored = _stored_in(month)
            if owners is not None:
                rows, entries = rows.where(OwnerMonth.owner.in_(owners)), entries.where(UsageEntry.owner.in_(owners))
                stored = stored.where(stored.selected_columns.owner.in_(owners))
            for owner, pages, *amounts in await session.execute(rows):
                found[owner]["pages_uploaded"] += pages
                for field, amount in zip(FIELDS, amounts, strict=True):
                    found[owner][field] += amount
            for owner, field, amount in await session.execute(entries):
                found[owner][field] += int(amount)
            for row in await session.execute(stored):
                found[row[0]]["stored_kb_s"] += round(row[1] / 1000)
        return [MonthUse(owner, month, **found[owner]) for owner in sorted(found) if any(found[owner].values())]

    async def of_owner(self, owner: str, months: int) -> list[MonthUse]:
        """Use of an owner in the present month and those before it, newest first; months without any are left out."""
        found, at = [], utc_now()
        for _ in range(months):
            found += await self.of_month(month_name(at), [owner])
            at = month_span(month_name(at))[0] - timedelta(days=1)
        return found


def _entries(taken: Mapping[str, int]) -> list[dict[str, object]]:
    """Entries of counts by `field|day|owner`."""
    found = []
    for name, amount in taken.items():
        field, day, owner = name.split("|", 2)
        if field in FIELDS:
            month = month_name(datetime.fromtimestamp(int(day) * DAY_S, UTC))
            found.append(entry(owner.removeprefix(ON_BEHALF), month, field, amount))
        else:
            log.warning("usage.unknown_field", field=field, amount=amount)
    return found


async def _add(session: AsyncSession, owner: str, month: str, amounts: Mapping[str, int]) -> None:
    dialect = sqlite if session.get_bind().dialect.name == "sqlite" else postgresql
    row = dialect.insert(OwnerMonth).values(owner=owner, month=month, pages=0, **amounts)
    added = {field: getattr(OwnerMonth, field) + getattr(row.excluded, field) for field in amounts}
    await session.execute(row.on_conflict_do_update(index_elements=[OwnerMonth.owner, OwnerMonth.month], set_=added))


def _stored_in(month: str) -> Select[str, float]:
    """Bytes × seconds of a month that documents take which are there now, by owner; of deleted ones there are entries."""
    begin, end = month_span(month)
    until_s = (min(end, utc_now()) - begin).total_seconds()
    kept = (
        select(
            Document.owner,
            Document.path,
            Document.bytes,
            (extract("epoch", func.min(Document.created_at)) - begin.timestamp()).label("since_s"),
        )
        .group_by(Document.owner, Document.path, Document.bytes)
        .subquery()
    )
    span_s = until_s - case((kept.c.since_s < 0, 0.0), else_=cast(kept.c.since_s, Float))
    return (
        select(kept.c.owner, func.sum(cast(kept.c.bytes, Float) * span_s))
        .where(kept.c.since_s < until_s)
        .group_by(kept.c.owner)
    )
