"""Tables of what people say of the pages of documents: corrections, pages that wait for a person, readings to be revised."""

from datetime import datetime

from sqlalchemy import Index, String, Text
from sqlalchemy.orm import Mapped, mapped_column

from service.database.base import Base
from service.database.column_types import UtcTime, utc_now


class PageCorrectionRow(Base):
    """Corrections of one page. They belong to an owner's bytes, not to a reading: they outlive each one."""

    __tablename__ = "page_corrections"

    owner: Mapped[str] = mapped_column(String(255), primary_key=True)
    sha256: Mapped[str] = mapped_column(String(64), primary_key=True)
    page: Mapped[int] = mapped_column(primary_key=True, autoincrement=False)
    version: Mapped[int] = mapped_column(default=0)
    """Grows with each change: who changes the page names the version that was read."""
    correction: Mapped[str] = mapped_column(Text)
    """A `PageCorrection` as JSON."""
    edits: Mapped[int] = mapped_column(default=0)
    """Number of its edits."""
    engine: Mapped[str] = mapped_column(String(64), default="")
    """Engine that had read the page; empty for the page's own text."""
    updated_at: Mapped[datetime] = mapped_column(UtcTime, default=utc_now)
    updated_by: Mapped[str] = mapped_column(String(255))


class DoubtfulPageRow(Base):
    """A page that a person should look at, or has looked at."""

    __tablename__ = "doubtful_pages"
    __table_args__ = (
        Index(None, "state", "found_at", "sha256", "page", "owner"),
        *(
            Index(None, by, "state", "found_at", "sha256", "page")
            for by in ("owner", "engine", "reason", "media_type", "file_id")
        ),
    )

    owner: Mapped[str] = mapped_column(String(255), primary_key=True)
    sha256: Mapped[str] = mapped_column(String(64), primary_key=True)
    page: Mapped[int] = mapped_column(primary_key=True, autoincrement=False)
    file_id: Mapped[str] = mapped_column(String(64))
    media_type: Mapped[str] = mapped_column(String(100))
    engine: Mapped[str] = mapped_column(String(64))
    reason: Mapped[str] = mapped_column(String(32))
    """Kind of the doubt (tasks/ocr/doubt_kinds.py)."""
    doubt: Mapped[str] = mapped_column(Text)
    confidence: Mapped[float]
    state: Mapped[str] = mapped_column(String(16), default="open")
    """open or done."""
    found_at: Mapped[datetime] = mapped_column(UtcTime, default=utc_now)


class ReadingRow(Base):
    """A job that reads, or has read, a document: whether its files have all corrections."""

    __tablename__ = "readings"
    __table_args__ = (Index(None, "stale", "created_at"), Index(None, "owner", "sha256"))

    job_id: Mapped[str] = mapped_column(String(255), primary_key=True)
    owner: Mapped[str] = mapped_column(String(255))
    sha256: Mapped[str] = mapped_column(String(64))
    file_id: Mapped[str] = mapped_column(String(64), index=True)
    changes: Mapped[int] = mapped_column(default=0)
    """Grows with each correction of its document."""
    stale: Mapped[bool] = mapped_column(default=False)
    """True from a correction until its files have been written again."""
    counted: Mapped[bool] = mapped_column(default=False)
    """True once its pages are counted."""
    created_at: Mapped[datetime] = mapped_column(UtcTime, default=utc_now)


class ReadingCount(Base):
    """Pages read in a day, by source and engine."""

    __tablename__ = "reading_counts"

    day: Mapped[str] = mapped_column(String(10), primary_key=True)
    """UTC, such as 2026-01-31."""
    owner: Mapped[str] = mapped_column(String(255), primary_key=True)
    media_type: Mapped[str] = mapped_column(String(100), primary_key=True)
    engine: Mapped[str] = mapped_column(String(64), primary_key=True)
    pages: Mapped[int] = mapped_column(default=0)
    doubtful: Mapped[int] = mapped_column(default=0)
    failed: Mapped[int] = mapped_column(default=0)
    corrected: Mapped[int] = mapped_column(default=0)
    """Pages in which a person changed a word."""
