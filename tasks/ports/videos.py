"""Port of finished videos: a document's formats, poster and strip, stored with its bytes."""

from pathlib import Path
from typing import Protocol


class Videos(Protocol):
    """Files made of a video, by the document's id and a file's name."""

    async def names(self, file_id: str) -> set[str]:
        """Names of the files that are there."""
        ...

    async def size(self, file_id: str, name: str) -> int:
        """Bytes of a file that is there."""
        ...

    async def keep(self, file_id: str, name: str, path: Path) -> None:
        """Store a file, whole or not at all. Nothing stays where the document was deleted in the meantime."""
        ...
