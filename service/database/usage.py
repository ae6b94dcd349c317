"""Metered use of owners by calendar month (UTC): what has been used, one entry each, until it is added to the month's row."""

from collections.abc import Iterable, Mapping
from datetime import UTC, datetime, timedelta

from sqlalchemy import BigInteger, Connection, String, insert
from sqlalchemy.ext.asyncio import AsyncSession
from sqlalchemy.orm import Mapped, mapped_column

from service.database.base import Base
from service.database.column_types import UtcTime, utc_now
from service.database.owners import OWNER_MAX

FIELDS = ("jobs", "pages_read", "cpu_ms", "mails", "video_ms", "stored_kb_s")
"""Columns of `OwnerMonth` that entries add to. Stored bytes count by the time that they are kept: kilobytes (1,000) × seconds."""


class UsageEntry(Base):
    """A use that is not in its month's row yet.

    Entries are only inserted, so that transactions that settle messages or delete documents wait for no one else's.
    """

    __tablename__ = "usage_entries"

    id: Mapped[int] = mapped_column(primary_key=True, autoincrement=True)
    owner: Mapped[str] = mapped_column(String(OWNER_MAX))
    month: Mapped[str] = mapped_column(String(7))
    field: Mapped[str] = mapped_column(String(32))
    amount: Mapped[int] = mapped_column(BigInteger)


class UsageBatch(Base):
    """A batch of the queue server's counts that is in the database: taken a second time it adds nothing."""

    __tablename__ = "usage_batches"

    batch_id: Mapped[str] = mapped_column(String(64), primary_key=True)
    written_at: Mapped[datetime] = mapped_column(UtcTime, default=utc_now)


def month_name(at: datetime) -> str:
    """The month of a moment, such as 2026-11."""
    return f"{at.astimezone(UTC):%Y-%m}"


def month_span(month: str) -> tuple[datetime, datetime]:
    """Beginning of a month, and of the next. Raises ValueError."""
    begin = datetime.strptime(month, "%Y-%m").replace(tzinfo=UTC)
    return begin, (begin + timedelta(days=32)).replace(day=1)


def stored_by_month(size: int, since: datetime, until: datetime) -> Mapping[str, int]:
    """KB × s that bytes kept over a span of time take, by month."""
    found, at = {}, since
    while at < until:
        end = min(until, month_span(month_name(at))[1])
        found[month_name(at)] = round(size * (end - at).total_seconds() / 1000)
        at = end
    return found


def entry(owner: str, month: str, field: str, amount: int) -> dict[str, object]:
    """The values of an entry."""
    return {"owner": owner[:OWNER_MAX], "month": month, "field": field, "amount": amount}


async def add_entries(session: AsyncSession, entries: Iterable[Mapping[str, object]]) -> None:
    """Write entries within a transaction."""
    if rows := list(entries):
        await session.execute(insert(UsageEntry), rows)


def add_entries_by(connection: Connection, entries: Iterable[Mapping[str, object]]) -> None:
    """The same over a plain connection."""
    if rows := list(entries):
        connection.execute(insert(UsageEntry), rows)
