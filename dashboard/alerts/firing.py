"""Alerts that fire now and are not muted: counted in the navigation, named on the first page."""

from collections.abc import Sequence
from dataclasses import dataclass

from service.monitoring.alerts import AlertStatus
from service.monitoring.alerts.messages import runbook_path, sentence
from service.services import Services
from settings.alert_rules import Rule


@dataclass(frozen=True)
class Firing:
    """An alert with its rule and its sentence."""

    rule: Rule
    status: AlertStatus
    words: str
    runbook: str
    """Path of the page and section that say what to do."""


async def firing(services: Services, *, muted: bool = False) -> Sequence[Firing]:
    """Active alerts, most serious first; those of muted rules only where `muted`."""
    alerts = services.alerts
    mutes = {} if muted else await alerts.mutes()
    return [firing_of(rule, one) for rule, one in await alerts.firing() if rule.name not in mutes]


def firing_of(rule: Rule, status: AlertStatus) -> Firing:
    return Firing(rule, status, sentence(rule, rule.summary, status), runbook_path(rule))
