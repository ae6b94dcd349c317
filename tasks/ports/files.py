"""Uploaded files (documents), seen from a task."""

from pathlib import Path
from typing import Protocol


class StoredFile(Protocol):
    """Metadata of an uploaded file (a document)."""

    file_id: str
    name: str
    bytes: int
    sha256: str
    media_type: str
    pages: int | None
    width: int | None
    height: int | None
    seconds: float | None
    owner: str


class Files(Protocol):
    """Uploaded files by id."""

    async def describe(self, file_id: str) -> StoredFile:
        """Metadata of a file; raises Permanent when it is gone."""
        ...

    async def local(self, file_id: str, folder: Path) -> Path:
        """The file's bytes on a local path: the stored file itself where storage is local, else a copy in `folder`."""
        ...
