"""Users, templates, campaigns and the result of each message."""

from datetime import datetime

from sqlalchemy import BigInteger, ForeignKey, Index, String, Text
from sqlalchemy.orm import Mapped, mapped_column

from service.database.base import Base
from service.database.column_types import UtcTime, utc_now

ADDRESS_MAX = 320
"""Characters of an address: 64 before the @ and 255 behind it (RFC 5321, section 4.5.3.1)."""


class User(Base):
    """A recipient of mail."""

    __tablename__ = "users"
    __table_args__ = (Index(None, "active", "id"),)

    id: Mapped[int] = mapped_column(BigInteger, primary_key=True, autoincrement=False)
    email: Mapped[str] = mapped_column(String(ADDRESS_MAX), index=True)
    """As given; it need not be a valid address."""
    name: Mapped[str] = mapped_column(String(255))
    active: Mapped[bool]
    locale: Mapped[str] = mapped_column(String(16))
    plan: Mapped[str] = mapped_column(String(32))
    digest: Mapped[bool]
    """Has asked for the daily digest."""
    created_at: Mapped[datetime] = mapped_column(UtcTime, default=utc_now)


class Template(Base):
    """A text that an owner's campaigns are written from."""

    __tablename__ = "templates"
    __table_args__ = (Index(None, "owner", "created_at"),)

    template_id: Mapped[str] = mapped_column(String(64), primary_key=True)
    owner: Mapped[str] = mapped_column(String(255))
    name: Mapped[str] = mapped_column(String(255))
    subject: Mapped[str] = mapped_column(Text)
    html: Mapped[str] = mapped_column(Text)
    text: Mapped[str] = mapped_column(Text)
    created_at: Mapped[datetime] = mapped_column(UtcTime, default=utc_now)
    updated_at: Mapped[datetime] = mapped_column(UtcTime, default=utc_now)


class Campaign(Base):
    """One mailing. Its words are a copy: editing or deleting the template half way changes no message."""

    __tablename__ = "campaigns"

    campaign_id: Mapped[str] = mapped_column(String(64), primary_key=True)
    """The id of the job that began it."""
    owner: Mapped[str] = mapped_column(String(255))
    template_id: Mapped[str] = mapped_column(String(64))
    name: Mapped[str] = mapped_column(String(255))
    subject: Mapped[str] = mapped_column(Text)
    html: Mapped[str] = mapped_column(Text)
    text: Mapped[str] = mapped_column(Text)
    recipients: Mapped[int]
    to_send: Mapped[int]
    """Deliveries 1 to this number are to be sent; those behind were skipped or suppressed from the start."""
    created_at: Mapped[datetime] = mapped_column(UtcTime, default=utc_now)


class Delivery(Base):
    """One recipient of one campaign. `status` and its transitions are described in service/mail/deliveries.py."""

    __tablename__ = "deliveries"
    __table_args__ = (
        Index(None, "campaign_id", "user_id", unique=True),
        Index(None, "campaign_id", "status"),
        # How often an address has bounced, whatever the campaign.
        Index(None, "address", "status"),
        # Which claims a journal may still have to answer for.
        Index(None, "claimed_by", "status"),
    )

    campaign_id: Mapped[str] = mapped_column(ForeignKey("campaigns.campaign_id", ondelete="CASCADE"), primary_key=True)
    position: Mapped[int] = mapped_column(primary_key=True, autoincrement=False)
    user_id: Mapped[int] = mapped_column(BigInteger)
    email: Mapped[str | None] = mapped_column(String(ADDRESS_MAX))
    """As the user gave it; None where there is no such user."""
    address: Mapped[str | None] = mapped_column(String(ADDRESS_MAX))
    """In the form by which addresses are compared; None where it is not valid."""
    status: Mapped[str] = mapped_column(String(16))
    claims: Mapped[int] = mapped_column(default=0)
    """Number of claims. The number fences: only the newest claim can be settled."""
    claimed_by: Mapped[str | None] = mapped_column(String(128))
    """The journal that knows how far the claim got."""
    tries: Mapped[int] = mapped_column(default=0)
    """Temporary refusals so far."""
    due_at: Mapped[datetime | None] = mapped_column(UtcTime)
    """When a temporary refusal is tried again."""
    smtp_code: Mapped[int | None]
    smtp_text: Mapped[str | None] = mapped_column(Text)
    address_refused: Mapped[bool | None]
    """True where a bounce said that the address does not exist, which counts towards its suppression."""
    message_id: Mapped[str] = mapped_column(String(255))
    changed_at: Mapped[datetime] = mapped_column(UtcTime, default=utc_now)


class Suppression(Base):
    """An address that is not written to, by any campaign."""

    __tablename__ = "suppressions"

    address: Mapped[str] = mapped_column(String(ADDRESS_MAX), primary_key=True)
    reason: Mapped[str] = mapped_column(String(255))
    created_at: Mapped[datetime] = mapped_column(UtcTime, default=utc_now)
