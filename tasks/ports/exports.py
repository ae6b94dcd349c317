"""Port of exports: the number of rows, and where its child process finds them."""

from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Protocol

from tasks.exports.selection import Selection
from tasks.exports.source import Query, Source


class Exports(Protocol):
    """Rows of the datasets."""

    async def count(self, selection: Selection) -> int:
        """About how many rows, for an estimate: cheap, and never more than a cap."""
        ...

    async def prepare(
        self, selection: Selection, folder: Path, report: Callable[[int], Awaitable[None]]
    ) -> tuple[Source, Query]:
        """Source and query of the selection. Rows that no database has are first copied into `folder`;
        `report` is told how many have been."""
        ...
