"""Tables of dashboard users and their sessions."""

import json
from datetime import datetime

from sqlalchemy import String, Text
from sqlalchemy.orm import Mapped, mapped_column

from service.database.base import Base
from service.database.column_types import UtcTime, utc_now


class DashboardUserRow(Base):
    """A user of the dashboard. `queues` is a JSON list of those in which the role holds; empty means all."""

    __tablename__ = "dashboard_users"

    name: Mapped[str] = mapped_column(String(255), primary_key=True)
    password_hash: Mapped[str] = mapped_column(String(255))
    """Argon2id, with its parameters and its salt."""
    role: Mapped[str] = mapped_column(String(32))
    personal: Mapped[bool]
    queues: Mapped[str] = mapped_column(Text, default="[]")
    language: Mapped[str | None] = mapped_column(String(16), default=None)
    """Language in which the user reads pages; None for what the browser asks for."""
    zone: Mapped[str | None] = mapped_column(String(64), default=None)
    """IANA name of the zone in which the user reads times; None for the browser's."""
    created_at: Mapped[datetime] = mapped_column(UtcTime, default=utc_now)
    created_by: Mapped[str] = mapped_column(String(255))

    @property
    def queue_names(self) -> tuple[str, ...]:
        """Queues in which the role holds; empty for all."""
        return tuple(json.loads(self.queues))


class DashboardSession(Base):
    """A browser that has signed in. Only the SHA-256 of its cookie is kept: a copy of the table opens nothing."""

    __tablename__ = "dashboard_sessions"

    sha256: Mapped[str] = mapped_column(String(64), primary_key=True)
    name: Mapped[str] = mapped_column(String(255), index=True)
    source: Mapped[str] = mapped_column(String(32))
    """password, or oidc."""
    credential: Mapped[str] = mapped_column(String(64))
    """Digest of the password's entry at sign-in, or of the provider and its groups' roles: another one ends the session."""
    role: Mapped[str] = mapped_column(String(32))
    """Of a user of the identity provider; those of passwords have the role of their entry."""
    personal: Mapped[bool | None] = mapped_column(default=None)
    """Right of a user of the identity provider to see personal data."""
    queues: Mapped[str | None] = mapped_column(Text, default=None)
    """JSON list of the queues in which the role of such a user holds; empty means all."""
    id_token: Mapped[str | None] = mapped_column(Text, default=None)
    """ID token of such a user, where the provider has a page to sign out at. It opens nothing here."""
    address: Mapped[str] = mapped_column(String(64))
    browser: Mapped[str] = mapped_column(String(255))
    created_at: Mapped[datetime] = mapped_column(UtcTime, default=utc_now)
    used_at: Mapped[datetime] = mapped_column(UtcTime, default=utc_now, index=True)
