"""Changes of the installation: deploys, settings, workers' lives, and all that operators did, by the time of each.

`services.changes` is a `Changes`:

    await changes.between(first_ms, last_ms, limit)  changes of a span, newest first
    await changes.deploys.between(first_ms, last_ms)  deploys of a span, oldest first
"""

from service.monitoring.changes.changes import Changes
from service.monitoring.changes.records import Change, Deploy, SettingsChange, WorkerLife

__all__ = ["Change", "Changes", "Deploy", "SettingsChange", "WorkerLife"]
