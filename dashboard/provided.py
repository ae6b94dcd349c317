"""Figures that all viewers of a process share, handed to the views by name."""

from typing import Any

from litestar.datastructures import State as AppState
from litestar.di import NamedDependency, Provide

from dashboard.queues.overview import Overview, overview
from dashboard.shared import Shared
from service.services import Services
from service.states import State

FRESH_S = 0.9
"""How old shared figures may be: under the shortest refresh, so that nobody sees the same tick twice."""

Counts = dict[str, dict[State, int]]
"""Jobs by queue and state."""

Figures = NamedDependency[Shared[Overview]]
StateCounts = NamedDependency[Shared[Counts]]


def shared_figures(services: Services) -> dict[str, Shared[Any]]:
    """The figures, for the application's state."""
    return {
        "figures": Shared(lambda: overview(services), fresh_s=FRESH_S),
        "counts": Shared(services.store.counts, fresh_s=FRESH_S),
    }


def _figures(state: AppState) -> Shared[Overview]:
    figures: Shared[Overview] = state["figures"]
    return figures


def _counts(state: AppState) -> Shared[Counts]:
    counts: Shared[Counts] = state["counts"]
    return counts


PROVIDED = {
    "figures": Provide(_figures, sync_to_thread=False),
    "counts": Provide(_counts, sync_to_thread=False),
}
