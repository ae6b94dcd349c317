"""Strips of columns to pick a moment from: the days of a month, the hours of a day, the minutes of an hour."""

from collections.abc import Sequence
from dataclasses import dataclass

from dashboard.capsule.figures import EACH_MS, HOURS_KEPT_MS, MINUTES_KEPT_MS
from dashboard.charts import Bar, bars
from dashboard.formats import DAY_MS
from dashboard.past.moment import PastMoment
from service.monitoring.metrics import Tier
from service.services import Services

DAYS_SHOWN = 30


@dataclass(frozen=True)
class Column:
    """One piece of time with its bar. `chosen` where it holds the moment that is shown."""

    bar: Bar
    at_ms: int
    chosen: bool


@dataclass(frozen=True)
class Strip:
    """Columns of one tier, oldest first."""

    tier: Tier
    columns: Sequence[Column]

    @property
    def empty(self) -> bool:
        """True where nothing was counted in any of them."""
        return not any(column.bar.good or column.bar.bad for column in self.columns)


async def month_strip(services: Services, queues: Sequence[str], now_ms: int, chosen: PastMoment | None) -> Strip:
    """The last thirty days."""
    today = now_ms // DAY_MS
    return await _strip(services, queues, "day", range(today - DAYS_SHOWN + 1, today + 1), chosen)


async def finer_strips(services: Services, queues: Sequence[str], past: PastMoment) -> list[Strip]:
    """The hours of the moment's day, and the minutes of its hour, where they are kept."""
    found, age_ms = [], past.now_ms - past.at_ms
    if age_ms < HOURS_KEPT_MS:
        first = past.at_ms // DAY_MS * 24
        found.append(await _strip(services, queues, "hour", range(first, first + 24), past))
    if age_ms < MINUTES_KEPT_MS and past.tier != "day":
        first = past.at_ms // EACH_MS["hour"] * 60
        found.append(await _strip(services, queues, "minute", range(first, first + 60), past))
    return found


async def _strip(
    services: Services, queues: Sequence[str], tier: Tier, numbers: range, chosen: PastMoment | None
) -> Strip:
    good, bad = [0] * len(numbers), [0] * len(numbers)
    for queue in queues:
        for place, span in enumerate(await services.metrics.between(tier, queue, numbers)):
            good[place] += span.total["completed"]
            bad[place] += span.total["failed"]
    at = chosen.at_ms // EACH_MS[tier] if chosen else None
    columns = [
        Column(bar, number * EACH_MS[tier], number == at) for bar, number in zip(bars(good, bad), numbers, strict=True)
    ]
    return Strip(tier, columns)
