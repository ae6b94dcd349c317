"""Changes in the hour before an alert began."""

from collections.abc import Mapping, Sequence

from dashboard.alerts.firing import Firing
from dashboard.formats import HOUR_MS
from service.monitoring.alerts import AlertStatus
from service.monitoring.changes import Change, Changes

BEFORE_MS = HOUR_MS

CHANGES_SHOWN = 20
"""Lines shown with one alert."""

ALERTS_READ = 20
"""Firing alerts of which changes are read: of a hundred at once, the most serious tell what happened."""


def began_ms(status: AlertStatus) -> int | None:
    """When the threshold was crossed."""
    return status.since_ms or status.fired_ms


async def before(changes: Changes, firing: Sequence[Firing]) -> Mapping[str, Sequence[Change]]:
    """By an alert's key, what changed in the hour before it began, newest first."""
    found = {}
    for alert in firing[:ALERTS_READ]:
        at_ms = began_ms(alert.status)
        if at_ms is not None:
            key = alert.status.key
            found[key] = await changes.between(at_ms - BEFORE_MS, at_ms, CHANGES_SHOWN, but_alert=key)
    return found
