"""`VideoStore`: files made of a video, under its document. The storage alone knows which there are."""

from collections.abc import AsyncIterator
from pathlib import Path

from service.database import Database, Document
from service.documents.store import document_folder
from service.lib.storage.object_storage import NoSuchObject, Storage


class VideoStore:
    """Implements tasks.ports.videos.Videos. The files go with their document when that is deleted."""

    def __init__(self, database: Database, storage: Storage) -> None:
        self._database = database
        self._storage = storage

    async def names(self, file_id: str) -> set[str]:
        """Names of the files that are there."""
        return {path.rsplit("/", 1)[-1] for path in await self._storage.list(_folder(file_id))}

    async def size(self, file_id: str, name: str) -> int:
        """Bytes of a file that is there. Raises NoSuchObject."""
        return await self._storage.size(f"{_folder(file_id)}/{name}")

    async def size_or_none(self, file_id: str, name: str) -> int | None:
        """Bytes of a file, or None where it is not there."""
        try:
            return await self.size(file_id, name)
        except NoSuchObject:
            return None

    async def stream(self, file_id: str, name: str, start: int, end: int) -> AsyncIterator[bytes]:
        """Bytes `start` up to but not including `end`. Raises NoSuchObject."""
        return await self._storage.stream(f"{_folder(file_id)}/{name}", start, end)

    async def keep(self, file_id: str, name: str, path: Path) -> None:
        """Store a file, whole or not at all."""
        await self._storage.put(f"{_folder(file_id)}/{name}", path)
        async with self._database.reading() as session:
            there = await session.get(Document, file_id)
        if there is None:
            # It was deleted in the meantime, and nothing else would ever look for what belongs to it.
            await self._storage.delete_prefix(document_folder(file_id))


def _folder(file_id: str) -> str:
    return f"{document_folder(file_id)}/videos"
