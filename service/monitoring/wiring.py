"""The duties of watching: to fire schedules, to add up what was counted, to measure alert rules and to send alerts."""

from service.engine.maintenance import Duty
from service.engine.redis.away import partial_reads
from service.engine.schedules import Schedules, Ticker
from service.engine.store import Store
from service.monitoring.alerts import Alerts
from service.monitoring.alerts.evaluation import Evaluation
from service.monitoring.alerts.measures import Measures
from service.monitoring.audit_log import Audit
from service.monitoring.breaker_log import BreakerLog
from service.monitoring.fairness.sampling import SAMPLE_S, Sampler
from service.monitoring.metering import Metering
from service.monitoring.metrics import Metrics
from settings import Settings

SLOTS_S = 2
"""Seconds by which a scheduled job may be late."""

FOLD_S = 30
"""Interval in which past minutes are added up: twice a minute, so that few are left for a reader of hours."""

RULES_S = 10
"""Interval in which alert rules are measured: well within the shortest of their times."""

BREAKERS_S = 2
"""Interval in which openings and closings of breakers are written into the audit log."""

USAGE_S = 10
"""Interval in which what owners have used is carried into the database: bills may lag by it."""

OUTBOX_S = 1
"""Interval in which the outbox of alerts is read."""


def watch_duties(
    settings: Settings,
    store: Store,
    metrics: Metrics,
    alerts: Alerts,
    schedules: Schedules,
    audit: Audit,
    metering: Metering,
) -> list[Duty]:
    """Duties of maintenance by the clock, and to notice what goes wrong."""
    evaluation = Evaluation(alerts, Measures(settings, store, metrics, schedules))

    async def evaluate() -> None:
        # A queue's server that is away must not keep the rules of all others from being measured.
        with partial_reads():
            await evaluation.evaluate()

    return [
        Duty("schedules", SLOTS_S, Ticker(schedules).tick),
        Duty("metrics", FOLD_S, metrics.fold),
        Duty("alerts", RULES_S, evaluate),
        Duty("breakers", BREAKERS_S, BreakerLog(store.redis, audit).write, apart=True),
        Duty("usage", USAGE_S, metering.carry, apart=True),
        Duty("fairness", SAMPLE_S, Sampler(store, [str(queue) for queue in settings.queues]).sample, apart=True),
        Duty("outbox", OUTBOX_S, alerts.outbox.deliver, apart=True),
    ]
