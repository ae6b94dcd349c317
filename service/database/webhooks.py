"""Tables of webhooks and of their deliveries."""

from datetime import datetime

from sqlalchemy import Index, String, Text
from sqlalchemy.orm import Mapped, mapped_column

from service.database.base import Base
from service.database.column_types import UtcTime, utc_now


class Webhook(Base):
    """An owner's address that is told how jobs end. `events` is a JSON list, such as ["job.failed"]."""

    __tablename__ = "webhooks"

    webhook_id: Mapped[str] = mapped_column(String(64), primary_key=True)
    owner: Mapped[str] = mapped_column(String(255), index=True)
    url: Mapped[str] = mapped_column(Text)
    events: Mapped[str] = mapped_column(Text)
    secret: Mapped[str] = mapped_column(String(128))
    """As it is: a digest of it could sign nothing."""
    created_at: Mapped[datetime] = mapped_column(UtcTime, default=utc_now)
    delivered_at: Mapped[datetime | None] = mapped_column(UtcTime)
    failing_since: Mapped[datetime | None] = mapped_column(UtcTime)
    """First of the failures that no success has followed."""
    failed_at: Mapped[datetime | None] = mapped_column(UtcTime)
    disabled_at: Mapped[datetime | None] = mapped_column(UtcTime)
    disabled_why: Mapped[str | None] = mapped_column(Text)


class WebhookDelivery(Base):
    """One message to one address. `webhook_id` is None for the `callback_url` of a job."""

    __tablename__ = "webhook_deliveries"
    __table_args__ = (
        Index(None, "webhook_id", "created_at"),
        Index(None, "created_at", "delivery_id"),
        Index(None, "job_id", "number"),
        Index(None, "state", "created_at"),
    )

    delivery_id: Mapped[str] = mapped_column(String(64), primary_key=True)
    """Sent as `webhook-id`: the same over all tries."""
    webhook_id: Mapped[str | None] = mapped_column(String(64))
    owner: Mapped[str] = mapped_column(String(255))
    url: Mapped[str] = mapped_column(Text)
    event: Mapped[str] = mapped_column(String(32))
    job_id: Mapped[str | None] = mapped_column(String(255))
    """None for a test."""
    number: Mapped[int] = mapped_column(default=0)
    """Number of the job's end that it tells of: the earlier one goes first."""
    body: Mapped[str] = mapped_column(Text)
    state: Mapped[str] = mapped_column(String(16))
    """pending, delivered or failed."""
    tries: Mapped[int] = mapped_column(default=0)
    status_code: Mapped[int | None]
    error: Mapped[str | None] = mapped_column(Text)
    created_at: Mapped[datetime] = mapped_column(UtcTime, default=utc_now)
    tried_at: Mapped[datetime | None] = mapped_column(UtcTime)
    next_at: Mapped[datetime | None] = mapped_column(UtcTime)
