"""Curves of a span, from what was counted and measured."""

from collections.abc import Sequence
from dataclasses import dataclass

from dashboard.capsule.span import IncidentSpan
from dashboard.charts import Curve, curves
from dashboard.formats import DAY_MS, HOUR_MS, MINUTE_MS
from service.monitoring.changes.levels import Level
from service.monitoring.metrics import Figures, Tier
from service.services import Services
from settings.queues import Queue

MINUTE_SPAN_MS = 6 * HOUR_MS
HOUR_SPAN_MS = 7 * DAY_MS
"""Longest spans that are drawn by minutes and by hours: what is longer is drawn by days."""

MINUTES_KEPT_MS = 2 * DAY_MS
HOURS_KEPT_MS = 35 * DAY_MS

EACH_MS: dict[Tier, int] = {"minute": MINUTE_MS, "hour": HOUR_MS, "day": DAY_MS}


@dataclass(frozen=True)
class QueueFigures:
    """Figures of one queue, piece by piece of the span, oldest first. `waiting` and `workers` are the most at one time."""

    queue: str
    completed: Sequence[int]
    failed: Sequence[int]
    started: int
    waits: Curve
    runs: Curve
    longest_wait_ms: float | None
    longest_run_ms: float | None
    waiting: Sequence[int]
    workers: Sequence[int]
    measured: bool
    """False where nothing was measured of what waited and worked."""

    @property
    def quiet(self) -> bool:
        """True where nothing happened."""
        return not (any(self.completed) or any(self.failed) or self.started or any(self.waiting) or any(self.workers))


def tier_of(span: IncidentSpan, at_ms: int) -> Tier:
    """The finest tier that the span is kept and can be drawn in."""
    length_ms, age_ms = span.last_ms - span.first_ms, at_ms - span.first_ms
    if length_ms <= MINUTE_SPAN_MS and age_ms < MINUTES_KEPT_MS:
        return "minute"
    return "hour" if length_ms <= HOUR_SPAN_MS and age_ms < HOURS_KEPT_MS else "day"


async def queue_figures(services: Services, queue: Queue, span: IncidentSpan, tier: Tier) -> QueueFigures:
    """Read one queue's figures."""
    each_ms = EACH_MS[tier]
    numbers = range(span.first_ms // each_ms, span.last_ms // each_ms + 1)
    totals = [one.total for one in await services.metrics.between(tier, str(queue), numbers)]
    levels = await levels_of(services, str(queue), tier, numbers)
    waits, runs = ([getattr(total, name)(0.95) for total in totals] for name in ("wait_ms", "run_ms"))
    wait, run = curves([waits])[0], curves([runs])[0]
    return QueueFigures(
        queue=str(queue),
        completed=[total["completed"] for total in totals],
        failed=[total["failed"] for total in totals],
        started=_sum(totals, "started"),
        waits=wait,
        runs=run,
        longest_wait_ms=max((one for one in waits if one is not None), default=None),
        longest_run_ms=max((one for one in runs if one is not None), default=None),
        waiting=[levels[number].waiting if number in levels else 0 for number in numbers],
        workers=[levels[number].workers if number in levels else 0 for number in numbers],
        measured=bool(levels),
    )


async def levels_of(services: Services, queue: str, tier: Tier, numbers: range) -> dict[int, Level]:
    """Levels by number of the piece; of a day the highest of its hours."""
    levels = services.changes.levels
    first, last = numbers[0], numbers[-1]
    if tier == "minute":
        return await levels.minutes(queue, first, last)
    if tier == "hour":
        return await levels.hours(queue, first, last)
    found: dict[int, Level] = {}
    for hour, level in (await levels.hours(queue, first * 24, last * 24 + 23)).items():
        found[hour // 24] = level.most(found[hour // 24]) if hour // 24 in found else level
    return found


def _sum(totals: Sequence[Figures], event: str) -> int:
    return sum(total[event] for total in totals)
