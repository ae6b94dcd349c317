"""`LocalOutputs`: what a `LocalRun` keeps and its finished files, in folders."""

from collections.abc import AsyncIterator, Mapping
from pathlib import Path
from typing import Any

from tasks.sdk.errors import Permanent


class LocalOutputs:
    """`folder` has a folder each for what is kept, for finished files and for those of other jobs."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.artefacts: list[dict[str, Any]] = []
        for name in ("files", "kept", "artefacts", "jobs"):
            (folder / name).mkdir(parents=True, exist_ok=True)

    async def keep(self, name: str, data: bytes) -> None:
        """Keep an intermediate result, under the parent for a part."""
        path = self.folder / "kept" / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(data)

    async def kept(self, prefix: str = "") -> list[str]:
        """Sorted names of what is kept."""
        root = self.folder / "kept"
        names = (path.relative_to(root).as_posix() for path in root.rglob("*") if path.is_file())
        return sorted(name for name in names if name.startswith(prefix))

    async def recall(self, name: str) -> bytes | None:
        """The bytes kept under `name`, or None."""
        path = self.folder / "kept" / name
        return path.read_bytes() if path.exists() else None

    async def artefact(self, name: str, data: bytes | Path | AsyncIterator[bytes], media_type: str) -> None:
        """Put a finished file there, whole or not at all."""
        content = await _content(data)
        (self.folder / "artefacts" / name).write_bytes(content)
        self.artefacts = [one for one in self.artefacts if one["name"] != name]
        self.artefacts.append({"name": name, "bytes": len(content), "media_type": media_type})

    def artefact_bytes(self, name: str) -> bytes:
        """A finished file of this run."""
        return (self.folder / "artefacts" / name).read_bytes()

    def add_job(self, job_id: str, artefacts: Mapping[str, bytes]) -> str:
        """Another job of the owner that has ended, with its finished files by name. Returns its id."""
        folder = self.folder / "jobs" / job_id
        folder.mkdir(parents=True)
        for name, data in artefacts.items():
            (folder / name).write_bytes(data)
        return job_id

    async def artefact_of(self, job_id: str, name: str) -> bytes:
        """A finished file of a job that `add_job` put there."""
        folder = self.folder / "jobs" / job_id
        if not folder.is_dir():
            raise Permanent(f"There is no job {job_id[:80]}.")
        if not (folder / name).is_file():
            raise Permanent(f"The job {job_id} has no file {name[:80]!r}.")
        return (folder / name).read_bytes()


async def _content(data: bytes | Path | AsyncIterator[bytes]) -> bytes:
    if isinstance(data, bytes):
        return data
    if isinstance(data, Path):
        return data.read_bytes()
    return b"".join([chunk async for chunk in data])
