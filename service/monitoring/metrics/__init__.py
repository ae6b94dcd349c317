"""Metrics: what was counted, by minute (two days), hour (five weeks) and day (400 days).

`services.metrics` is a `Metrics`:

    await metrics.spans(tier, queue, count) -> list[Span]  the last `count` spans of a queue, oldest first, the present last
    await metrics.window(queue, seconds) -> Span           everything of the last so many seconds, to the minute
    await metrics.week(first_day=None) -> WeekReport       a week's report; default: the last whole one (Monday to Sunday)
    await metrics.weeks(count) -> list[WeekReport]         the last whole weeks, newest first
"""

from service.engine.store.counters import Tier
from service.monitoring.metrics.figures import Figures, QueueWeek, Span, WeekReport
from service.monitoring.metrics.metrics import Metrics

__all__ = ["Figures", "Metrics", "QueueWeek", "Span", "Tier", "WeekReport"]
