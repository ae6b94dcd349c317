"""`Changes`: what changed in the installation within a span, out of all places where it is recorded."""

from collections.abc import Iterator, Sequence
from datetime import UTC, datetime

from sqlalchemy import select

from service.database.audit import Event
from service.engine.redis.client import Client
from service.engine.store import Store
from service.monitoring.alerts import Alerts
from service.monitoring.alerts.alerts import HISTORY_MAX
from service.monitoring.alerts.records import HistoryEntry
from service.monitoring.audit_log import Audit
from service.monitoring.changes.deploys import Deploys
from service.monitoring.changes.levels import Levels
from service.monitoring.changes.records import Change, Kind, WorkerLife
from service.monitoring.changes.settings_in_effect import SettingsHistory
from service.monitoring.changes.worker_history import WorkerHistory

ACTIONS = (
    "queue.steered", "queue.released", "queue.paused", "queue.resumed", "queue.drained",
    "queue.breaker-opened", "queue.breaker-closed",
    "service.paused", "service.resumed", "service.breaker-opened", "service.breaker-closed",
    "alert.muted", "alert.unmuted",
    "alert_rule.added", "alert_rule.changed", "alert_rule.reset", "alert_rule.switched_off", "alert_rule.switched_on",
    "operation.begun", "operation.aborted", "error.retried", "error.judged",
    "schedule.paused", "schedule.resumed", "schedule.run",
    "worker.quieted", "worker.resumed", "worker.stopped",
    "owner.limited", "key.created", "key.revoked", "key.rotated", "user.added", "user.changed", "user.removed",
    "template.changed", "template.deleted", "webhook.enabled",
)  # fmt: skip
"""Actions of the audit log that change how the installation behaves. What is done to one job is not among them."""

PAGES = {
    "queue": "/admin/queues/{id}",
    "operation": "/admin/operations/{id}",
    "error": "/admin/errors/{id}",
    "template": "/admin/templates/{id}",
    "owner": "/admin/owners/{id}",
    "rule": "/admin/alerts/rules/{id}",
    "service": "/admin/services",
    "schedule": "/admin/schedules",
    "worker": "/admin/workers",
    "key": "/admin/keys",
}
"""Pages of what an action was done to."""

DETAIL_SHOWN = 160


class Changes:
    """Reads changes."""

    def __init__(self, redis: Client, store: Store, audit: Audit, alerts: Alerts) -> None:
        self.store = store
        self.audit = audit
        self.alerts = alerts
        self.deploys = Deploys(redis)
        self.settings = SettingsHistory(redis)
        self.workers = WorkerHistory(redis)
        self.levels = Levels(redis)

    async def compare(self) -> None:
        """Notice new versions, and workers that begin and end. A duty of maintenance."""
        workers = await self.store.workers()
        await self.deploys.compare(workers)
        await self.workers.compare(workers)

    async def between(self, first_ms: int, last_ms: int, limit: int, *, but_alert: str = "") -> Sequence[Change]:
        """Changes of a span, both ends included, newest first, `limit` at most. `but_alert` is left out of the alerts."""
        found = [
            *await self._deployed(first_ms, last_ms, limit),
            *await self._set(first_ms, last_ms, limit),
            *await self._workers(first_ms, last_ms),
            *await self._alerted(first_ms, last_ms, but_alert),
            *await self._acted(first_ms, last_ms, limit),
        ]
        return sorted(found, key=lambda change: -change.at_ms)[:limit]

    async def _deployed(self, first_ms: int, last_ms: int, limit: int) -> list[Change]:
        return [
            Change(one.at_ms, "deploy", [one.words], one.by, f"/admin/queues?at={one.at_ms}")
            for one in await self.deploys.between(first_ms, last_ms, limit)
        ]

    async def _set(self, first_ms: int, last_ms: int, limit: int) -> list[Change]:
        return [
            Change(one.at_ms, "settings", one.differences, "", "/admin/workers", process=one.process)
            for one in await self.settings.changes.between(first_ms, last_ms, limit)
        ]

    async def _workers(self, first_ms: int, last_ms: int) -> list[Change]:
        found = await self.workers.between(first_ms, last_ms)
        return [change for life in found for change in _of_life(life) if first_ms <= change.at_ms <= last_ms]

    async def _alerted(self, first_ms: int, last_ms: int, but: str) -> list[Change]:
        return [
            Change(one.at_ms, "alert", [_of_alert(one)], one.by, "/admin/alerts")
            for one in await self.alerts.history(HISTORY_MAX)
            if first_ms <= one.at_ms <= last_ms
            # What operators did to rules comes from the audit log.
            and one.event in ("fired", "resolved")
            and f"{one.rule}|{one.subject}" != but
        ]

    async def _acted(self, first_ms: int, last_ms: int, limit: int) -> list[Change]:
        first, last = (datetime.fromtimestamp(ms / 1000, UTC) for ms in (first_ms, last_ms))
        query = (
            select(Event)
            .where(Event.action.in_(ACTIONS), Event.created_at.between(first, last), Event.outcome == "done")
            .order_by(Event.created_at.desc(), Event.event_id.desc())
            .limit(limit)
        )
        async with self.audit.database.reading() as session:
            return [_of_event(event) for event in await session.scalars(query)]


def _of_alert(entry: HistoryEntry) -> str:
    alert, sentence = f"{entry.rule} {entry.subject}".strip(), entry.text
    return f"fired {alert}: {sentence}" if entry.event == "fired" else f"resolved {alert}: {sentence}"


def _of_life(life: WorkerLife) -> Iterator[Change]:
    words = f"worker of {life.queue} on {life.host} (process {life.pid}, version {life.version})"
    yield Change(life.started_ms, "worker", [f"started: {words}"], "", "/admin/workers")
    if life.ended:
        how = "stopped" if life.ended == "stopped" else "died, or lost its connection"
        yield Change(life.last_ms, "worker", [f"{how}: {words}"], "", "/admin/workers")


def _of_event(event: Event) -> Change:
    detail = f": {event.detail[:DETAIL_SHOWN]}" if event.detail else ""
    kind: Kind = "breaker" if ".breaker-" in event.action else "operator"
    page = PAGES.get(event.target_type, f"/admin/audit?action={event.action}")
    at_ms = round(event.created_at.timestamp() * 1000)
    words = f"{event.action} {event.target_id}".strip() + detail
    return Change(at_ms, kind, [words], event.actor, page.format(id=event.target_id), event)
