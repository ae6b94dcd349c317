"""Figures over time, queue by queue, as the metrics page draws them."""

from collections.abc import Sequence
from dataclasses import dataclass

from dashboard.charts import Curve, curves
from dashboard.formats import MINUTE_MS
from service.monitoring.metrics import Figures, Metrics, Span, Tier
from service.monitoring.metrics.metrics import TIER_MINUTES
from settings.queues import Queue

SHARES = (0.50, 0.95, 0.99)
"""The percentiles shown: the usual wait, a bad one, and the worst that is not a freak."""


@dataclass(frozen=True)
class Period:
    """A stretch of time to look at: `count` spans of a tier. `each` is one of them, in words."""

    words: str
    tier: Tier
    count: int
    each: str
    hours: float

    def shown_ms(self, at_ms: int) -> tuple[int, int]:
        """Beginning and end of the spans shown at a moment, as `Metrics.spans` has them."""
        each_ms = TIER_MINUTES[self.tier] * MINUTE_MS
        last_ms = (at_ms // each_ms + 1) * each_ms
        return last_ms - self.count * each_ms, last_ms


PERIODS: dict[str, Period] = {
    "hour": Period("Hour", "minute", 60, "minute", 1),
    "day": Period("Day", "hour", 24, "hour", 24),
    "week": Period("Week", "hour", 168, "hour", 168),
    "month": Period("Month", "day", 30, "day", 720),
}


@dataclass(frozen=True)
class Row:
    """A queue or a task over the whole period; waits and runs are percentiles in ms, None where nothing was counted."""

    name: str
    completed: int
    failed: int
    per_hour: float
    waits: Sequence[float | None]
    runs: Sequence[float | None]
    part: bool = False


@dataclass(frozen=True)
class Trend:
    """One queue: the whole, its tasks, and the figures span by span, oldest first."""

    queue: str
    whole: Row
    tasks: Sequence[Row]
    completed: Sequence[int]
    failed: Sequence[int]
    waits: Sequence[Curve]
    runs: Sequence[Curve]
    longest_wait_ms: float | None
    longest_run_ms: float | None


async def trends(metrics: Metrics, period: Period) -> list[Trend]:
    """Every queue over a period that ends now."""
    return [_trend(str(queue), await metrics.spans(period.tier, queue, period.count), period) for queue in Queue]


def _trend(queue: str, spans: Sequence[Span], period: Period) -> Trend:
    whole, tasks, part_types = Figures(), dict[str, Figures](), set[str]()
    for span in spans:
        whole.add(span.total)
        part_types |= span.part_types
        for name, figures in span.types.items():
            tasks.setdefault(name, Figures()).add(figures)
    waits = [[span.total.wait_ms(share) for span in spans] for share in SHARES]
    runs = [[span.total.run_ms(share) for span in spans] for share in SHARES]
    return Trend(
        queue,
        _row(queue, whole, period),
        [_row(name, figures, period, part=name in part_types) for name, figures in sorted(tasks.items())],
        [span.total["completed"] for span in spans],
        [span.total["failed"] for span in spans],
        curves(waits),
        curves(runs),
        max((value for line in waits for value in line if value is not None), default=None),
        max((value for line in runs for value in line if value is not None), default=None),
    )


def _row(name: str, figures: Figures, period: Period, *, part: bool = False) -> Row:
    return Row(
        name,
        figures["completed"],
        figures["failed"],
        figures.ended / period.hours,
        [figures.wait_ms(share) for share in SHARES],
        [figures.run_ms(share) for share in SHARES],
        part,
    )
