"""Tables of uploads that arrive in several requests, and of the pieces that have arrived."""

from datetime import datetime

from sqlalchemy import BigInteger, Index, String, Text
from sqlalchemy.orm import Mapped, mapped_column

from service.database.base import Base
from service.database.column_types import UtcTime, utc_now


class Upload(Base):
    """An upload that was begun. It is complete once `file_id` is set, in the transaction that makes the document."""

    __tablename__ = "uploads"
    __table_args__ = (Index(None, "owner", "file_id"), Index(None, "expires_at"))

    upload_id: Mapped[str] = mapped_column(String(64), primary_key=True)
    owner: Mapped[str] = mapped_column(String(255))
    name: Mapped[str] = mapped_column(String(255))
    bytes: Mapped[int] = mapped_column(BigInteger)
    """Announced size of the whole file."""
    received: Mapped[int] = mapped_column(BigInteger, default=0)
    """Bytes that are stored: the offset at which the next piece begins."""
    described: Mapped[str] = mapped_column(Text, default="")
    """`Upload-Metadata` as the client sent it."""
    sha256: Mapped[str | None] = mapped_column(String(64))
    """Announced digest, where there is one."""
    presigned: Mapped[bool] = mapped_column(default=False)
    """True where the client sends the bytes to the storage itself."""
    reuse: Mapped[bool] = mapped_column(default=False)
    """True where a document that the owner has of the same bytes is wanted in place of a new one."""
    created_at: Mapped[datetime] = mapped_column(UtcTime, default=utc_now)
    expires_at: Mapped[datetime] = mapped_column(UtcTime)
    file_id: Mapped[str | None] = mapped_column(String(64))


class UploadPiece(Base):
    """Consecutive bytes of an upload, from `start` on, which lie in the storage at `path`."""

    __tablename__ = "upload_pieces"

    upload_id: Mapped[str] = mapped_column(String(64), primary_key=True)
    start: Mapped[int] = mapped_column(BigInteger, primary_key=True, autoincrement=False)
    bytes: Mapped[int] = mapped_column(BigInteger)
    path: Mapped[str] = mapped_column(String(255))
