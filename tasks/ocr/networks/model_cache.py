"""A folder of converted networks, shared by all processes of a machine. An entry is there whole and unharmed, or not at all."""

import fcntl
import hashlib
import json
import os
import shutil
import tempfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

MANIFEST = "manifest.json"
"""Written last: {"files": {name: SHA-256}, …what the maker wants remembered}."""


class Shelf:
    """Entries are folders named by what they hold and by what they were made from."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder

    def find(self, name: str) -> Path | None:
        """The entry's folder if every file in it is as it was written, else None: a damaged one is no longer there."""
        entry = self.folder / name
        if not self.has(name):
            return None
        try:
            files = json.loads((entry / MANIFEST).read_text())["files"]
            whole = all(_hash(entry / file) == expected for file, expected in files.items())
        except (OSError, ValueError, KeyError):
            whole = False
        if not whole:
            # Else `has` would promise readers an entry that takes half a minute to make, and a page has its time limit.
            with suppress(OSError):
                (entry / MANIFEST).unlink()
        return entry if whole else None

    def has(self, name: str) -> bool:
        """True where the entry is there, unchecked: cheap enough to ask before every page."""
        return (self.folder / name / MANIFEST).exists()

    def facts(self, name: str) -> dict[str, object]:
        """The result of the entry's maker."""
        return json.loads((self.folder / name / MANIFEST).read_text())

    def get(self, name: str, make: Callable[[Path], dict[str, object]]) -> Path:
        """The entry's folder, made by `make(folder)` if it is missing or damaged. Others who want it wait in the meantime."""
        found = self.find(name)
        if found:
            return found
        with self._lock(name):
            return self.find(name) or self._make(name, make)

    def _make(self, name: str, make: Callable[[Path], dict[str, object]]) -> Path:
        entry = self.folder / name
        part = Path(tempfile.mkdtemp(prefix=f".{name}-", dir=self.folder))
        try:
            facts = make(part)
            files = {file.name: _hash(file) for file in part.iterdir()}
            with (part / MANIFEST).open("w") as manifest:
                json.dump({"files": files, **facts}, manifest)
                manifest.flush()
                os.fsync(manifest.fileno())
            shutil.rmtree(entry, ignore_errors=True)
            part.rename(entry)
        finally:
            shutil.rmtree(part, ignore_errors=True)
        return entry

    @contextmanager
    def _lock(self, name: str) -> Iterator[None]:
        self.folder.mkdir(parents=True, exist_ok=True)
        with (self.folder / f".{name}.lock").open("w") as lock:
            # Let go by the kernel when its holder dies, however it dies.
            fcntl.flock(lock, fcntl.LOCK_EX)
            yield


def _hash(file: Path) -> str:
    with file.open("rb") as data:
        return hashlib.file_digest(data, "sha256").hexdigest()
