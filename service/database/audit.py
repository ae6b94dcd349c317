"""The audit log: who did what to which thing, when, and how it ended."""

import secrets
from datetime import datetime

from sqlalchemy import Index, String, Text
from sqlalchemy.orm import Mapped, mapped_column

from service.database.base import Base
from service.database.column_types import UtcTime, utc_now


def new_event_id() -> str:
    """An id that no other event has: 128 random bits."""
    return f"event-{secrets.token_hex(16)}"


class Event(Base):
    """One line of the audit log. It is written once, in the transaction of what it tells of, and never changed."""

    __tablename__ = "events"
    # All end in the id, so that a page or an export in order of time reads the index and sorts nothing.
    __table_args__ = (
        Index(None, "created_at", "event_id"),
        *(Index(None, by, "created_at", "event_id") for by in ("owner", "actor", "action", "target_id", "outcome")),
    )

    event_id: Mapped[str] = mapped_column(String(64), primary_key=True, default=new_event_id)
    created_at: Mapped[datetime] = mapped_column(UtcTime, default=utc_now)
    owner: Mapped[str] = mapped_column(String(255))
    """Owner of the target; only this owner may read the event."""
    actor: Mapped[str] = mapped_column(String(255))
    """Actor: an owner's API key, a dashboard user, cli: and a user of the command line, a schedule or a worker."""
    role: Mapped[str] = mapped_column(String(32))
    action: Mapped[str] = mapped_column(String(64))
    """Noun and past participle, such as job.retried."""
    target_type: Mapped[str] = mapped_column(String(32))
    target_id: Mapped[str] = mapped_column(String(255))
    outcome: Mapped[str] = mapped_column(String(32))
    """done, refused or failed."""
    address: Mapped[str | None] = mapped_column(String(64))
    """Address of the client; None for what did not come over the network."""
    took_ms: Mapped[float | None]
    detail: Mapped[str | None] = mapped_column(Text)
