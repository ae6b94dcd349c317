"""`Anchor`: an idle connection that keeps a SQLite file's write-ahead log in place."""

import sqlite3
from pathlib import Path


class Anchor:
    """Without it the last session to close writes the log back and removes it, and the next one makes it again: a fifth of
    what a write costs, and no reading at all while the disk is full, for which there must be room."""

    def __init__(self, file: Path) -> None:
        self._connection = sqlite3.connect(file, isolation_level=None, check_same_thread=False)
        # A connection opens the log with its first reading, which ends here: it holds nothing back.
        self._connection.execute("SELECT 1 FROM sqlite_schema LIMIT 1").fetchall()

    def close(self) -> None:
        """Let the log go. The last connection of all processes writes it back."""
        self._connection.close()
