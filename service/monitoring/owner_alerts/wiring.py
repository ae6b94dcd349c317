"""The parts of owners' own alerts, wired."""

from collections.abc import Callable

from service.database import Database
from service.engine.enqueuer import Enqueuer
from service.engine.maintenance import Duty
from service.engine.payload_files import PayloadFiles
from service.engine.redis.client import Client
from service.engine.store import Job
from service.lib.storage.object_storage import Storage
from service.lib.tickets import Tickets
from service.monitoring.owner_alerts.counters import EndCounters
from service.monitoring.owner_alerts.evaluation import OwnerEvaluation
from service.monitoring.owner_alerts.letters import Letters
from service.monitoring.owner_alerts.links import AlertLinks
from service.monitoring.owner_alerts.mails import AlertMails
from service.monitoring.owner_alerts.owner_alerts import OwnerAlerts
from service.monitoring.owner_alerts.rows import AlertRows
from service.monitoring.owner_usage import OwnerUsage
from settings import Settings

EVALUATE_S = 10
"""Interval in which addresses are held against their owners, as the operator's rules are."""

UPKEEP_S = 600
"""Interval in which old messages are removed, and overdue ones looked after."""


def owner_alerts(settings: Settings, database: Database, redis: Client, enqueuer: Enqueuer) -> OwnerAlerts:
    """The parts, which open nothing themselves."""
    rows = AlertRows(database)
    links = AlertLinks(settings.links_url, settings.link_key)
    letters = Letters(settings.links_url, links, Tickets(settings.link_key))
    return OwnerAlerts(
        rows,
        EndCounters(redis, rows),
        AlertMails(rows, letters, enqueuer),
        links,
        redis,
        settings.link_key,
        can_send=settings.smtp_url is not None,
    )


def owner_alert_duties(
    alerts: OwnerAlerts, usage: OwnerUsage, storage: Storage, personal: Callable[[Job], bool]
) -> list[Duty]:
    """Duties of maintenance for owners' own alerts."""
    evaluation = OwnerEvaluation(alerts.rows, alerts.counters, usage, PayloadFiles(storage), alerts.mails, personal)
    return [
        Duty("owner alerts", EVALUATE_S, evaluation.evaluate, apart=True),
        Duty("owner alert mails", UPKEEP_S, alerts.mails.requeue, apart=True),
        Duty("owner alert log", UPKEEP_S, alerts.rows.forget, apart=True),
    ]
