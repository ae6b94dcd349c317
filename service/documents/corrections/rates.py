"""Rates of doubtful, failed and corrected pages by source and engine over time."""

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import date, timedelta

from sqlalchemy import func, select

from service.database import Database
from service.database.column_types import utc_now
from service.database.corrections import ReadingCount

SOURCES_MAX = 50
"""Sources that are shown, those with the most pages first: more than that no person compares."""

COUNTS = ("pages", "doubtful", "failed", "corrected")


@dataclass
class Counts:
    """Pages that were read, and among them the doubtful, the failed and those that a person has changed."""

    pages: int = 0
    doubtful: int = 0
    failed: int = 0
    corrected: int = 0

    def share(self, name: str) -> float:
        """Share of all pages, 0 to 1."""
        total = self.pages + self.failed
        return min(1.0, getattr(self, name) / total) if total else 0.0


@dataclass
class SourceRates:
    """Pages of one source by one engine: their sum, and each day's, oldest first."""

    owner: str
    media_type: str
    engine: str
    total: Counts
    days: Sequence[Counts] = field(default=())


async def rates(database: Database, days: int, owner: str = "") -> list[SourceRates]:
    """The sources with the most pages in so many days, this one included."""
    first = utc_now().date() - timedelta(days=days - 1)
    source = (ReadingCount.owner, ReadingCount.media_type, ReadingCount.engine)
    sums = [func.sum(getattr(ReadingCount, name)) for name in COUNTS]
    wanted = [ReadingCount.day >= first.isoformat(), *([ReadingCount.owner == owner] if owner else [])]
    most = select(*source, *sums).where(*wanted).group_by(*source).order_by(sums[0].desc(), *source).limit(SOURCES_MAX)
    found: dict[tuple[str, ...], SourceRates] = {}
    async with database.reading() as session:
        for row in await session.execute(most):
            found[tuple(row[:3])] = SourceRates(row[0], row[1], row[2], Counts(*map(int, row[3:])))
        by_day = select(ReadingCount.day, *source, *(getattr(ReadingCount, name) for name in COUNTS)).where(*wanted)
        each: dict[tuple[str, ...], dict[str, Counts]] = defaultdict(dict)
        async for row in await session.stream(by_day):
            each[tuple(row[1:4])][row[0]] = Counts(*row[4:])
    for key, one in found.items():
        one.days = [each[key].get(_day(first, number), Counts()) for number in range(days)]
    return list(found.values())


def _day(first: date, number: int) -> str:
    return (first + timedelta(days=number)).isoformat()
