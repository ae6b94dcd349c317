"""Times that a rule would have fired within the last week, from what was counted by the hour."""

import math
from collections.abc import Callable, Mapping, Sequence

from service.engine.states import State
from service.engine.store import Store
from service.monitoring.alerts.measures import doubtful_share
from service.monitoring.metrics import Metrics
from service.monitoring.metrics.figures import Figures, Span
from settings import Queue
from settings.alert_rules import HOUR_S, Rule

HOURS = 7 * 24
BY_HOUR: Mapping[str, Callable[[Figures], float | None]] = {
    "failure_rate": lambda figures: figures.failure_rate,
    "timeouts": lambda figures: figures["timeout"],
    "doubtful_pages": doubtful_share,
}
"""Measures whose values of an hour are counted, by name."""


class Lookback:
    """Tries a rule on the last week."""

    def __init__(self, store: Store, metrics: Metrics) -> None:
        self.store = store
        self.metrics = metrics

    async def firings(self, rule: Rule) -> int | None:
        """Times that `rule` would have fired, over all its subjects; None where its measure's past is not kept."""
        if rule.measure != "waiting_jobs" and rule.measure not in BY_HOUR:
            return None
        return sum([firings_of(rule, await self._values(rule, queue)) for queue in self._queues(rule)])

    @staticmethod
    def _queues(rule: Rule) -> Sequence[str]:
        return [rule.of] if rule.of else [str(queue) for queue in Queue]

    async def _values(self, rule: Rule, queue: str) -> Sequence[float | None]:
        spans = await self.metrics.spans("hour", queue, HOURS)
        if rule.measure == "waiting_jobs":
            states = (await self.store.counts())[queue]
            return waiting_by_hour(spans, states[State.QUEUED] + states[State.RETRYING])
        return [BY_HOUR[rule.measure](span.total) for span in spans]


def waiting_by_hour(spans: Sequence[Span], now: int) -> Sequence[float]:
    """Waiting jobs at the end of each hour, reckoned back from those that wait now by what came and what went."""
    found: list[float] = []
    waiting = now
    for span in reversed(spans):
        found.append(max(0, waiting))
        figures = span.total
        waiting -= figures["enqueued"] - figures.ended - figures["cancelled"] - figures["expired"]
    return found[::-1]


def firings_of(rule: Rule, values: Sequence[float | None]) -> int:
    """Times that the hours' values crossed the threshold for as long as the rule wants, to the hour."""
    wanted = max(1, math.ceil(rule.for_s / HOUR_S))
    firings = streak = 0
    for value in values:
        streak = streak + 1 if rule.broken_by(value) else 0
        firings += streak == wanted
    return firings
