"""`LocalFiles`: the uploaded files of a `LocalRun`, on a folder."""

import hashlib
from dataclasses import dataclass
from pathlib import Path

from tasks.sdk.errors import Permanent


@dataclass
class LocalFile:
    """Implements StoredFile."""

    file_id: str
    name: str
    bytes: int
    sha256: str
    media_type: str
    pages: int | None
    owner: str
    width: int | None = None
    height: int | None = None
    seconds: float | None = None


class LocalFiles:
    """Implements Files. `add` is what an upload is to the real one."""

    def __init__(self, folder: Path, owner: str) -> None:
        self.folder = folder
        self._owner = owner
        self._known: dict[str, LocalFile] = {}

    def add(
        self,
        file_id: str,
        data: bytes,
        *,
        name: str | None = None,
        media_type: str = "application/octet-stream",
        pages: int | None = None,
        width: int | None = None,
        height: int | None = None,
        seconds: float | None = None,
    ) -> str:
        """Put a file there under an id of the test's choice, which is returned. The other facts are what a task reads of it.

        `name` is `file_id` where it is None; `pages` are those of a document, `width` and `height` the pixels of a picture or
        video, `seconds` its length.
        """
        (self.folder / file_id).write_bytes(data)
        digest = hashlib.sha256(data).hexdigest()
        facts = (len(data), digest, media_type, pages, self._owner, width, height, seconds)
        self._known[file_id] = LocalFile(file_id, name or file_id, *facts)
        return file_id

    async def describe(self, file_id: str) -> LocalFile:
        """Metadata of a file. Raises Permanent."""
        if file_id not in self._known:
            raise Permanent(f"There is no file {file_id}.")
        return self._known[file_id]

    async def local(self, file_id: str, folder: Path) -> Path:
        """The file's path. Raises Permanent."""
        return self.folder / (await self.describe(file_id)).file_id
