"""Alerts that fire now and are not muted: counted in the navigation, named on the first page."""

from collections.abc import Sequence
from dataclasses import dataclass

from service.monitoring.alerts import AlertStatus
from service.monitoring.alerts.evaluation import sentence
from service.services import Services
from settings.alert_rules import Rule


@dataclass(frozen=True)
class Firing:
    """An alert with its rule and its sentence."""

    rule: Rule
    status: AlertStatus
    words: str


async def firing(services: Services) -> Sequence[Firing]:
    """Active alerts, most serious first, without those of muted rules."""
    alerts = services.alerts
    muted = await alerts.mutes()
    found = [one for one in await alerts.firing() if one.rule not in muted]
    return [firing_of(alerts.declared[one.rule], one) for one in found]


def firing_of(rule: Rule, status: AlertStatus) -> Firing:
    return Firing(rule, status, sentence(rule, rule.summary, status))
