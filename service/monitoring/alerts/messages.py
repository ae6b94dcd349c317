"""Messages of an alert, in each receiver's form, by the receiver's kind."""

import functools
from collections.abc import Callable
from typing import Any, Concatenate, ParamSpec

from service.lib.languages import in_language
from service.lib.sentences.recogniser import shown
from service.monitoring.alerts import pagerduty, slack
from service.monitoring.alerts.records import AlertStatus
from settings import Settings
from settings.alert_rules import RULES, Rule

RUNBOOK = "/admin/runbook"

Bodies = dict[str, dict[str, Any]]

P = ParamSpec("P")


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


def in_operators_language(
    make: Callable[Concatenate[Settings, P], Bodies],
) -> Callable[Concatenate[Settings, P], Bodies]:
    """Make messages in the language of OFFLOAD_ALERT_LANGUAGE, whatever that of the request is in which they are made."""

    @functools.wraps(make)
    def made(settings: Settings, /, *args: P.args, **kwargs: P.kwargs) -> Bodies:
        with in_language(settings.alert_language):
            return make(settings, *args, **kwargs)

    return made


@in_operators_language
def fired(settings: Settings, rule: Rule, status: AlertStatus, text: str) -> Bodies:
    """Messages that an alert fires."""
    text = shown(text)
    url, runbook = settings.links_url + status.link, settings.links_url + runbook_path(rule)
    return {
        "slack": slack.alert_blocks(rule.name, text, rule.severity, url, resolved=False, runbook=runbook),
        "pager": pagerduty.trigger(status.key, text, rule.severity, status.subject, url, runbook),
        "other": {
            "title": f"{rule.name}: {shown(str(rule.severity))}",
            "body": f"{text}\n{url}\nRunbook: {runbook}",
            "notify_type": "failure" if rule.pages else "warning",
        },
    }


@in_operators_language
def resolved(settings: Settings, rule: Rule, status: AlertStatus, text: str) -> Bodies:
    """Messages that it is over."""
    text = shown(text)
    url = settings.links_url + status.link
    return {
        "slack": slack.alert_blocks(rule.name, text, rule.severity, url, resolved=True),
        "pager": pagerduty.resolve(status.key, text),
        "other": {"title": f"{rule.name}: {shown('resolved')}", "body": f"{text}\n{url}", "notify_type": "success"},
    }


@in_operators_language
def tried(settings: Settings, rule: Rule, by: str) -> Bodies:
    """Messages of a test, which ask nothing of the reader. The pager's opens an incident of the lowest severity."""
    text = shown(f"Test of the alert rule {rule.name}, sent by {by}: nothing is wrong.")
    url = f"{settings.links_url}/admin/alerts/rules/{rule.name}"
    return {
        "slack": slack.alert_blocks(shown(f"test of {rule.name}"), text, rule.severity, url, resolved=True),
        "pager": pagerduty.test(rule.name, text),
        "other": {"title": shown(f"Test of {rule.name}"), "body": f"{text}\n{url}", "notify_type": "info"},
    }
