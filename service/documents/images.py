"""`ImageRecords`: the facts of an image, in the database; cover and preview next to its bytes in the storage."""

from typing import Literal

from sqlalchemy import update

from service.database import Database, ImageRecord
from service.database.column_types import utc_now
from service.documents.store import document_folder
from service.lib.storage.object_storage import NoSuchObject, Storage
from tasks.images.photo_facts import Photo

Picture = Literal["cover", "preview"]


class ImageRecords:
    """Implements tasks.ports.images.Images. The record goes with its document when that is deleted."""

    def __init__(self, database: Database, storage: Storage) -> None:
        self._database = database
        self._storage = storage

    async def processing(self, file_id: str, job_id: str | None) -> None:
        """Begin, or begin again."""
        async with self._database.writing() as session:
            record = await session.get(ImageRecord, file_id) or ImageRecord(file_id=file_id)
            record.status, record.job_id, record.error = "processing", job_id, None
            session.add(record)

    async def queued(self, file_id: str, job_id: str) -> None:
        """Name the job, unless it has begun already and said so itself."""
        change = update(ImageRecord).where(ImageRecord.file_id == file_id, ImageRecord.job_id.is_(None))
        async with self._database.writing() as session:
            await session.execute(change.values(job_id=job_id))

    async def ready(self, file_id: str, photo: Photo) -> None:
        """Store the pictures, then say that they are there."""
        await self._storage.put(_path(file_id, "cover"), photo.cover)
        await self._storage.put(_path(file_id, "preview"), photo.preview)
        facts = photo.facts
        there = await self._set(
            file_id,
            status="ready",
            width=facts.width,
            height=facts.height,
            format=facts.format,
            taken_at=facts.taken_at,
            orientation=facts.orientation,
        )
        if not there:
            # The document was deleted in the meantime, and nothing else would ever look for what belongs to it.
            await self._storage.delete_prefix(document_folder(file_id))

    async def failed(self, file_id: str, reason: str) -> None:
        """Say why there will be none."""
        await self._set(file_id, status="failed", error=reason)

    async def _set(self, file_id: str, **values: object) -> bool:
        """Return whether there is such a record."""
        change = update(ImageRecord).where(ImageRecord.file_id == file_id).returning(ImageRecord.file_id)
        async with self._database.writing() as session:
            return await session.scalar(change.values(finished_at=utc_now(), **values)) is not None

    async def get(self, file_id: str) -> ImageRecord | None:
        """The record, or None for a file that is not an image or was never processed."""
        async with self._database.reading() as session:
            return await session.get(ImageRecord, file_id)

    async def picture(self, file_id: str, which: Picture) -> bytes | None:
        """The finished WebP file, or None."""
        try:
            return await self._storage.get(_path(file_id, which))
        except NoSuchObject:
            return None


def _path(file_id: str, which: Picture) -> str:
    return f"{document_folder(file_id)}/{which}.webp"
