"""Messages of an alert, in each receiver's form, by the receiver's kind."""

from typing import Any

from service.monitoring.alerts import pagerduty, slack
from service.monitoring.alerts.records import AlertStatus
from settings import Settings
from settings.alert_rules import RULES, Rule

RUNBOOK = "/admin/runbook"

Bodies = dict[str, dict[str, Any]]


def runbook_path(rule: Rule) -> str:
    """Page and section of the runbook that help with a rule: its own, or that of the declared rule of the same measure."""
    declared = {one.name for one in RULES}
    section = (
        rule.name
        if rule.name in declared
        else next((one.name for one in RULES if one.measure == rule.measure), "rules-of-your-own")
    )
    return f"{RUNBOOK}#{section}"


def sentence(rule: Rule, template: str, status: AlertStatus) -> str:
    """Sentence of an alert."""
    return template.format(
        subject=status.subject,
        value=rule.shown(status.value),
        threshold=rule.shown(rule.threshold),
        detail=status.detail,
    )


def fired(settings: Settings, rule: Rule, status: AlertStatus, text: str) -> Bodies:
    """Messages that an alert fires."""
    url, runbook = settings.links_url + status.link, settings.links_url + runbook_path(rule)
    return {
        "slack": slack.alert_blocks(rule.name, text, rule.severity, url, resolved=False, runbook=runbook),
        "pager": pagerduty.trigger(status.key, text, rule.severity, status.subject, url, runbook),
        "other": {
            "title": f"{rule.name}: {rule.severity}",
            "body": f"{text}\n{url}\nRunbook: {runbook}",
            "notify_type": "failure" if rule.pages else "warning",
        },
    }


def resolved(settings: Settings, rule: Rule, status: AlertStatus, text: str) -> Bodies:
    """Messages that it is over."""
    url = settings.links_url + status.link
    return {
        "slack": slack.alert_blocks(rule.name, text, rule.severity, url, resolved=True),
        "pager": pagerduty.resolve(status.key, text),
        "other": {"title": f"{rule.name}: resolved", "body": f"{text}\n{url}", "notify_type": "success"},
    }


def tried(settings: Settings, rule: Rule, by: str) -> Bodies:
    """Messages of a test, which ask nothing of the reader. The pager's opens an incident of the lowest severity."""
    text = f"Test of the alert rule {rule.name}, sent by {by}: nothing is wrong."
    url = f"{settings.links_url}/admin/alerts/rules/{rule.name}"
    return {
        "slack": slack.alert_blocks(f"test of {rule.name}", text, rule.severity, url, resolved=True),
        "pager": pagerduty.test(rule.name, text),
        "other": {"title": f"Test of {rule.name}", "body": f"{text}\n{url}", "notify_type": "info"},
    }
