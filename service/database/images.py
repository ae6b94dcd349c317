"""Images as an app shows them."""

from datetime import datetime

from sqlalchemy import ForeignKey, String, Text
from sqlalchemy.orm import Mapped, mapped_column

from service.database.base import Base
from service.database.column_types import UtcTime, utc_now


class ImageRecord(Base):
    """Record of an uploaded image. `status` is processing, ready or failed; the facts are there when it is ready."""

    __tablename__ = "images"

    file_id: Mapped[str] = mapped_column(ForeignKey("documents.file_id", ondelete="CASCADE"), primary_key=True)
    status: Mapped[str] = mapped_column(String(16))
    job_id: Mapped[str | None] = mapped_column(String(64))
    width: Mapped[int | None]
    height: Mapped[int | None]
    """Pixels as it is to be seen, which for a camera held upright is not as they are stored."""
    format: Mapped[str | None] = mapped_column(String(16))
    taken_at: Mapped[str | None] = mapped_column(String(40))
    """ISO 8601. Text, because most cameras do not know their offset from UTC."""
    orientation: Mapped[int | None]
    error: Mapped[str | None] = mapped_column(Text)
    created_at: Mapped[datetime] = mapped_column(UtcTime, default=utc_now)
    finished_at: Mapped[datetime | None] = mapped_column(UtcTime)
