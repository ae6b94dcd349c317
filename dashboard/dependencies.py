"""Figures that all viewers of a process share, injected into the views by name."""

from collections.abc import Awaitable, Callable, Mapping, Sequence
from typing import Any, TypeVar

from litestar.datastructures import State as AppState
from litestar.di import NamedDependency, Provide

from dashboard.alerts.firing import Firing, firing
from dashboard.changes.before import before
from dashboard.metrics.trends import PERIODS, Period, Trend, trends
from dashboard.past.strips import Strip, month_strip
from dashboard.queues.overview import Overview, last_hour, overview
from service.engine.holds import Hold
from service.engine.redis.places import places_of, silent_places
from service.engine.states import State
from service.lib.clock import now_ms
from service.lib.languages import LANGUAGES, current_language
from service.lib.single_flight import Shared
from service.monitoring.changes import Change
from service.monitoring.storage_usage import Footprint, footprint
from service.services import Services
from settings.queues import Queue

FRESH_S = 0.9
"""Age that shared figures may have: under the shortest refresh, so that no page shows the same tick twice."""

TRENDS_FRESH_S = 5.0
"""A week is some hundred records a queue, and changes slowly."""

FOOTPRINT_FRESH_S = 10.0
"""Some hundred keys are weighed for it; what takes up room changes slowly."""

ALERTS_FRESH_S = 2.0
"""Rules are measured every ten seconds."""

MONTH_FRESH_S = 60.0
"""The columns of the slider are days."""

BEFORE_FRESH_S = 10.0
"""Changes before an alert began are past; only a late line of the audit log adds to them."""

T = TypeVar("T")

Counts = dict[str, dict[State, int]]
"""Jobs by queue and state."""

Before = NamedDependency[Shared[Mapping[str, Sequence[Change]]]]
Month = NamedDependency[Shared[Strip]]
Alerts = NamedDependency[Shared[Sequence[Firing]]]
Figures = NamedDependency[Shared[Overview]]
StateCounts = NamedDependency[Shared[Counts]]
Pauses = NamedDependency[Shared[dict[str, Hold]]]
SharedFootprint = NamedDependency[Shared[Footprint]]
Trends = NamedDependency[dict[str, Shared[list[Trend]]]]


class SharedWords(Shared[T]):
    """Likewise for figures that hold sentences: one computation for each language in which someone reads."""

    def __init__(self, compute: Callable[[], Awaitable[T]], *, fresh_s: float) -> None:
        self._by_language = {language: Shared(compute, fresh_s=fresh_s) for language in LANGUAGES}

    async def __call__(self) -> T:
        return await self._by_language[current_language()]()


def shared_figures(services: Services) -> dict[str, Any]:
    """The figures, for the application's state."""

    def trend(period: Period) -> Shared[list[Trend]]:
        return Shared(lambda: trends(services.metrics, period), fresh_s=TRENDS_FRESH_S)

    async def weigh() -> Footprint:
        return await footprint(services.store, services.storage, services.database, services.settings.queues)

    hour = Shared(lambda: last_hour(services), fresh_s=TRENDS_FRESH_S)

    alerts = SharedWords(lambda: firing(services), fresh_s=ALERTS_FRESH_S)

    async def queue_overview() -> Overview:
        return await overview(services, await hour(), await alerts())

    async def changed_before() -> Mapping[str, Sequence[Change]]:
        return await before(services.changes, await firing(services, muted=True))

    async def month() -> Strip:
        return await month_strip(services, [str(queue) for queue in Queue], now_ms(), None)

    async def pauses() -> dict[str, Hold]:
        holds = {str(queue): await services.store.controls.holds(queue) for queue in Queue}
        return {queue: kinds["pause"] for queue, kinds in holds.items() if "pause" in kinds}

    async def silent() -> Sequence[str]:
        return [place.server for place in await silent_places(services.redis)]

    return {
        "footprint": Shared(weigh, fresh_s=FOOTPRINT_FRESH_S),
        "trends": {name: trend(period) for name, period in PERIODS.items()},
        "figures": SharedWords(queue_overview, fresh_s=FRESH_S),
        "counts": Shared(services.store.counts, fresh_s=FRESH_S),
        "alerts": alerts,
        "month": Shared(month, fresh_s=MONTH_FRESH_S),
        "before": SharedWords(changed_before, fresh_s=BEFORE_FRESH_S),
        "pauses": Shared(pauses, fresh_s=FRESH_S),
        "silent": SharedWords(silent, fresh_s=ALERTS_FRESH_S) if len(places_of(services.redis).all) > 1 else None,
    }


def _figures(state: AppState) -> Shared[Overview]:
    figures: Shared[Overview] = state["figures"]
    return figures


def _counts(state: AppState) -> Shared[Counts]:
    counts: Shared[Counts] = state["counts"]
    return counts


def _pauses(state: AppState) -> Shared[dict[str, Hold]]:
    found: Shared[dict[str, Hold]] = state["pauses"]
    return found


def _alerts(state: AppState) -> Shared[Sequence[Firing]]:
    found: Shared[Sequence[Firing]] = state["alerts"]
    return found


def _before(state: AppState) -> Shared[Mapping[str, Sequence[Change]]]:
    found: Shared[Mapping[str, Sequence[Change]]] = state["before"]
    return found


def _month(state: AppState) -> Shared[Strip]:
    found: Shared[Strip] = state["month"]
    return found


def _footprint(state: AppState) -> Shared[Footprint]:
    found: Shared[Footprint] = state["footprint"]
    return found


def _trends(state: AppState) -> dict[str, Shared[list[Trend]]]:
    found: dict[str, Shared[list[Trend]]] = state["trends"]
    return found


PROVIDED = {
    "footprint": Provide(_footprint, sync_to_thread=False),
    "trends": Provide(_trends, sync_to_thread=False),
    "figures": Provide(_figures, sync_to_thread=False),
    "counts": Provide(_counts, sync_to_thread=False),
    "alerts": Provide(_alerts, sync_to_thread=False),
    "month_columns": Provide(_month, sync_to_thread=False),
    "changed_before": Provide(_before, sync_to_thread=False),
    "pauses": Provide(_pauses, sync_to_thread=False),
}
