"""Figures of the first page, computed once for all readers."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from dashboard.alerts.firing import Firing
from dashboard.formats import MINUTE_MS
from dashboard.fragment_cache import Drawings
from dashboard.jobs.file_names import NamedFiles, files_of
from dashboard.queues.health import Health, health
from dashboard.queues.row import QueueRow
from service.engine.states import State
from service.engine.store import Job, WorkerInfo
from service.engine.store.error_groups import ErrorGroup
from service.lib.clock import now_ms
from service.mail.counters import MAIL_QUEUE
from service.mail.server_status import ServerStatus
from service.monitoring.changes import Deploy
from service.monitoring.metrics import Figures
from service.services import Services
from settings.queues import Queue

MINUTES_SHOWN = 60

CAUSES_READ = 50
CAUSES_SHOWN = 2
"""Causes of failure shown with a queue, among those seen last: the rest stand on the page of errors."""

RUNNING_SHOWN = 8
FAILED_SHOWN = 5
"""Rows of the two short lists; the whole lists are a click away."""


@dataclass(frozen=True)
class Overview:
    """The first page's figures at `at_ms`."""

    at_ms: int
    health: Health
    queues: Sequence[QueueRow]
    running: Sequence[Job]
    failed: Sequence[Job]
    files: Mapping[str, NamedFiles]
    alerts: Sequence[Firing]
    deploys: Sequence[Deploy]
    """Deploys of the minutes shown, newest first."""
    drawings: Drawings = field(default_factory=dict, compare=False)

    def total(self, *states: str) -> int:
        return sum(row.counts[State(state)] for row in self.queues for state in states)

    @property
    def shown_ms(self) -> tuple[int, int]:
        """Beginning and end of the minutes shown."""
        last_ms = (self.at_ms // MINUTE_MS + 1) * MINUTE_MS
        return last_ms - MINUTES_SHOWN * MINUTE_MS, last_ms

    @property
    def slots(self) -> int:
        return sum(row.slots for row in self.queues)

    def per_minute(self, event: str) -> list[int]:
        """As a row's, over all queues."""
        return [sum(counts) for counts in zip(*(row.per_minute(event) for row in self.queues), strict=True)]


async def last_hour(services: Services) -> dict[str, Figures]:
    """Each queue's waits and runs in the last hour."""
    return {str(queue): (await services.metrics.window(queue, 3600)).total for queue in Queue}


async def overview(services: Services, hour: Mapping[str, Figures], alerts: Sequence[Firing]) -> Overview:
    """Read the figures: every part of it costs the same with a thousand jobs and with a million."""
    at_ms = now_ms()
    store = services.store
    counts = await store.counts()
    workers = await store.workers()
    backlog_ms = await store.backlog_ms()
    since_ms = await store.waiting_since_ms()
    causes = _open(await store.error_groups.list(CAUSES_READ))
    shown_minutes = range(at_ms // MINUTE_MS - MINUTES_SHOWN + 1, at_ms // MINUTE_MS + 1)
    absence = await ServerStatus(services.redis).read()
    rows = []
    for queue in Queue:
        serving = [worker for worker in workers if worker.queue == queue and worker.alive(at_ms)]
        slots = sum(worker.serving_slots for worker in serving)
        minutes = await store.minutes(queue, shown_minutes)
        clears_ms = backlog_ms[queue] / slots if slots else None
        holds = await store.controls.holds(queue)
        rows.append(
            QueueRow(
                name=str(queue),
                counts=counts[queue],
                workers=len(serving),
                slots=slots,
                backlog_ms=backlog_ms[queue],
                clears_ms=clears_ms,
                minutes=minutes,
                holds=holds,
                waiting_since_ms=since_ms[queue],
                causes=[cause for cause in causes if cause.queue == queue][:CAUSES_SHOWN],
                hour=hour[queue],
                absence=absence if queue is MAIL_QUEUE else None,
            )
        )
    running = await store.list(state=State.ACTIVE, limit=RUNNING_SHOWN)
    failed = await store.list(state=State.FAILED, limit=FAILED_SHOWN)
    files = await files_of(services, [*running.jobs, *failed.jobs])
    deploys = await services.changes.deploys.between(shown_minutes[0] * MINUTE_MS, at_ms)
    return Overview(
        at_ms, health(rows, _silent(workers, at_ms)), rows, running.jobs, failed.jobs, files, alerts, deploys
    )


def _open(groups: Sequence[ErrorGroup]) -> list[ErrorGroup]:
    """Groups that need an operator, most dead letters first."""
    wanting = [group for group in groups if group.waiting and group.life in ("open", "regressed")]
    return sorted(wanting, key=lambda group: -group.waiting)


def _silent(workers: Sequence[WorkerInfo], at_ms: int) -> list[int]:
    return [worker.heartbeat_ms for worker in workers if not worker.alive(at_ms)]
