"""The tables."""

from datetime import datetime

from sqlalchemy import BigInteger, Index, MetaData, String
from sqlalchemy.orm import DeclarativeBase, Mapped, mapped_column

from service.database.column_types import UtcTime, utc_now


class Base(DeclarativeBase):
    # Named constraints, because a migration can only drop what has a name.
    metadata = MetaData(
        naming_convention={
            "ix": "ix_%(table_name)s_%(column_0_N_name)s",
            "uq": "uq_%(table_name)s_%(column_0_N_name)s",
            "ck": "ck_%(table_name)s_%(constraint_name)s",
            "fk": "fk_%(table_name)s_%(column_0_N_name)s",
            "pk": "pk_%(table_name)s",
        }
    )


class Document(Base):
    """An uploaded file. Its bytes lie in the storage at `path`; `name` is for display only."""

    __tablename__ = "documents"
    __table_args__ = (
        Index(None, "owner", "created_at"),
        Index(None, "created_at", "file_id"),
        Index(None, "scan", "scanned_at"),
    )

    file_id: Mapped[str] = mapped_column(String(64), primary_key=True)
    owner: Mapped[str] = mapped_column(String(255))
    name: Mapped[str] = mapped_column(String(255))
    bytes: Mapped[int] = mapped_column(BigInteger)
    sha256: Mapped[str] = mapped_column(String(64), index=True)
    media_type: Mapped[str] = mapped_column(String(100))
    pages: Mapped[int | None]
    """None where the pages cannot be counted without a password, and in quarantine; 0 for a video."""
    width: Mapped[int | None]
    height: Mapped[int | None]
    """Pixels of a video as it is to be seen; None for other documents."""
    seconds: Mapped[float | None]
    """Length of a video; None for other documents."""
    path: Mapped[str] = mapped_column(String(255))
    created_at: Mapped[datetime] = mapped_column(UtcTime, default=utc_now)
    scan: Mapped[str | None] = mapped_column(String(16))
    """State by the malware scan, of service/documents/malware.py; None for what came while no scanner was set up."""
    signature: Mapped[str | None] = mapped_column(String(255))
    """Name of what was found in it."""
    scanned_at: Mapped[datetime | None] = mapped_column(UtcTime)
    """Time of the verdict."""
