"""A run on a folder with a document store's port for videos, and an upload by the real inspection."""

from pathlib import Path

import pytest

from tasks.ports.videos import Videos
from tasks.sdk.testing import LocalRun


class StoredVideos:
    """Implements Videos on a folder."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        folder.mkdir()

    async def names(self, file_id: str) -> set[str]:
        return {path.name for path in (self.folder / file_id).glob("*")}

    async def size(self, file_id: str, name: str) -> int:
        return (self.folder / file_id / name).stat().st_size

    async def keep(self, file_id: str, name: str, path: Path) -> None:
        target = self.folder / file_id / name
        target.parent.mkdir(exist_ok=True)
        target.write_bytes(path.read_bytes())


@pytest.fixture
def stored(tmp_path: Path) -> StoredVideos:
    return StoredVideos(tmp_path / "videos")


@pytest.fixture
def run(tmp_path: Path, stored: StoredVideos) -> LocalRun:
    return LocalRun(tmp_path / "run", ports={Videos: stored})
