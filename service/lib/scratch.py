"""Scratch folders, each locked by its process for as long as that lives, so that a killed one's are known and removed.

What lies in them is plain, also where the storage is encrypted.
"""

import atexit
import contextlib
import fcntl
import os
import shutil
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path

PREFIX = "offload-scratch-"

YOUNG_S = 60.0
"""Age from which an empty folder without a lock is an abandoned one: it may have been made and be about to be locked."""


class ScratchFolder:
    """A new folder in that of this process, or in `within`."""

    def __init__(self, within: Path | None = None) -> None:
        self.path = Path(tempfile.mkdtemp(prefix=PREFIX, dir=within or scratch_root()))
        # The kernel lets go of it with the process, however that ends.
        self._lock = _locked(self.path)

    def remove(self) -> None:
        """Remove it with all that is in it; from a thread."""
        shutil.rmtree(self.path, ignore_errors=True)
        if self._lock is not None:
            os.close(self._lock)
            self._lock = None


_roots: dict[int, ScratchFolder] = {}


def scratch_root() -> Path:
    """The folder of this process in the system's temporary one: its children may write there and nowhere else."""
    root = _roots.get(os.getpid())
    if root is None or not root.path.is_dir():
        root = _roots[os.getpid()] = ScratchFolder(Path(tempfile.gettempdir()))
        atexit.register(root.remove)
    return root.path


@contextlib.contextmanager
def scratch_folder() -> Iterator[Path]:
    """A folder for the length of the block."""
    folder = ScratchFolder()
    try:
        yield folder.path
    finally:
        folder.remove()


def remove_abandoned() -> int:
    """Remove the folders of processes that were killed on this machine, and return how many there were."""
    removed = 0
    for path in Path(tempfile.gettempdir()).glob(f"{PREFIX}*"):
        with contextlib.suppress(OSError):
            new = time.time() - path.stat().st_mtime < YOUNG_S and not any(path.iterdir())
            if new or path.is_symlink():
                continue
            lock = _locked(path)
            if lock is not None:
                try:
                    shutil.rmtree(path)
                    removed += 1
                finally:
                    os.close(lock)
    return removed


def in_use(path: Path) -> bool:
    """True for a folder that a living process has locked: an idle worker writes nothing to it for days."""
    with contextlib.suppress(OSError):
        lock = _locked(path)
        if lock is None:
            return True
        os.close(lock)
    return False


def _locked(path: Path) -> int | None:
    """Descriptor of the folder with its lock; None where another process has that."""
    descriptor = os.open(path, os.O_RDONLY | os.O_DIRECTORY)
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError:
        os.close(descriptor)
        return None
    return descriptor
