"""Tables of the mail addresses that owners register for alerts, and of the messages to them."""

from datetime import datetime

from sqlalchemy import Index, String, Text, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column

from service.database.base import Base
from service.database.column_types import UtcTime, utc_now


class AlertAddress(Base):
    """A mail address that is told what goes wrong with an owner's jobs, once its reader has confirmed it."""

    __tablename__ = "alert_addresses"
    __table_args__ = (UniqueConstraint("owner", "mailbox"), Index(None, "state", "address_id"))

    address_id: Mapped[str] = mapped_column(String(64), primary_key=True)
    owner: Mapped[str] = mapped_column(String(255))
    address: Mapped[str] = mapped_column(String(320))
    """As messages are sent to it."""
    mailbox: Mapped[str] = mapped_column(String(320))
    """As it is compared."""
    language: Mapped[str] = mapped_column(String(16))
    conditions: Mapped[str] = mapped_column(Text)
    """A JSON list, such as ["failed"]."""
    every_minutes: Mapped[int]
    """Minutes between two messages about a condition at least."""
    waiting_minutes: Mapped[int]
    """Minutes that the owner's oldest job waits before that is an alert."""
    state: Mapped[str] = mapped_column(String(16))
    """pending, confirmed, unsubscribed or undeliverable."""
    progress: Mapped[str] = mapped_column(Text, default="{}")
    """Its knowledge of past events, as JSON (service/monitoring/owner_alerts/conditions.py)."""
    created_at: Mapped[datetime] = mapped_column(UtcTime, default=utc_now)
    confirmed_at: Mapped[datetime | None] = mapped_column(UtcTime)
    mailed_at: Mapped[datetime | None] = mapped_column(UtcTime)
    """When a message was last accepted by the mail server."""


class AlertMail(Base):
    """A message to one address. Written with what its address has been told, so that none is lost or made twice."""

    __tablename__ = "alert_mails"
    __table_args__ = (Index(None, "outcome", "created_at"), Index(None, "created_at"))

    mail_id: Mapped[str] = mapped_column(String(64), primary_key=True)
    """Also the id of its campaign, by which it is sent once."""
    address_id: Mapped[str] = mapped_column(String(64), index=True)
    owner: Mapped[str] = mapped_column(String(255), index=True)
    kind: Mapped[str] = mapped_column(String(16))
    """confirmation or alert."""
    news: Mapped[str] = mapped_column(Text)
    """Its contents, as JSON."""
    outcome: Mapped[str] = mapped_column(String(16), default="")
    """sent, bounced, failed, suppressed, unknown or dropped; empty until it is settled."""
    created_at: Mapped[datetime] = mapped_column(UtcTime, default=utc_now)
