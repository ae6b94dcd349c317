"""Progress of a child, in sixteen bytes of a file that its parent may read at any time."""

import os
import struct
from pathlib import Path

LAYOUT = struct.Struct("<QQ")


class Tally:
    """The writing side. One write of sixteen bytes to the page cache: nothing compared with a chunk of rows."""

    def __init__(self, path: Path, total: int) -> None:
        self._descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
        self._total = total
        self._done = 0
        self.add(0)

    def add(self, rows: int) -> None:
        self._done += rows
        os.pwrite(self._descriptor, LAYOUT.pack(self._done, self._total), 0)

    def close(self) -> None:
        os.close(self._descriptor)


def read_tally(path: Path) -> tuple[int, int] | None:
    """(rows done, rows in all), or None before the child knows."""
    try:
        done, total = LAYOUT.unpack(path.read_bytes())
    except (FileNotFoundError, struct.error):
        return None
    return done, total
