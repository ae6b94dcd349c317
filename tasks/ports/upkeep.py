"""Port of leftovers: files that no record refers to."""

from typing import Protocol

import msgspec


class Swept(msgspec.Struct):
    """Count of removed files."""

    files: int = 0
    bytes: int = 0
    campaigns: int = 0


class Leftovers(Protocol):
    """Removes leftovers that are older than a bound, and nothing that is in use. Doing it twice removes nothing more."""

    async def uploads(self, older_than_s: float) -> Swept:
        """Uploads that were broken off: scratch files not written to for so long."""
        ...

    async def scratch(self, older_than_s: float) -> Swept:
        """Scratch folders of workers that died, on this machine."""
        ...

    async def exports(self, older_than_s: float) -> Swept:
        """Export files whose time is over. The jobs stay, and say until when there was a file."""
        ...

    async def campaigns(self, older_than_s: float) -> int:
        """Campaigns whose job there is no record of: what a crash in between left. Returns how many."""
        ...

    async def unnamed(self, older_than_s: float) -> Swept:
        """Stored files of jobs and documents that there is no record of: what a crash in between left."""
        ...
