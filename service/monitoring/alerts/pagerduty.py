"""Events as PagerDuty's Events API v2 takes them (https://developer.pagerduty.com/docs/send-alert-event)."""

from typing import Any
from urllib.parse import parse_qs, urlsplit

from service.lib.sentences.recogniser import shown
from settings import Settings
from settings.alert_rules import Severity

SUMMARY_MAX = 1_024
"""Characters that the API takes."""


def routing_key(settings: Settings) -> str:
    """The integration's key: its own setting, or in the URL's query; empty where it is in neither."""
    if settings.pager_routing_key:
        return settings.pager_routing_key
    return parse_qs(urlsplit(settings.pager_webhook_url or "").query).get("routing_key", [""])[0]


def trigger(
    key: str, text: str, severity: Severity, subject: str, url: str, runbook: str | None = None
) -> dict[str, Any]:
    """Opens an incident, or adds to the open one of the same key. `url` and `runbook` are pages that it links to."""
    payload = {"summary": text[:SUMMARY_MAX], "source": "offload", "severity": str(severity), "component": subject}
    links = [{"href": url, "text": shown("Open the page")}]
    if runbook:
        links.append({"href": runbook, "text": "Runbook"})
    return _event("trigger", key) | {"payload": payload, "links": links, "client": "Offload"}


def resolve(key: str, text: str) -> dict[str, Any]:
    """Closes the incident of the key."""
    return _event("resolve", key) | {
        "payload": {"summary": text[:SUMMARY_MAX], "source": "offload", "severity": "info"}
    }


def test(rule: str, text: str) -> dict[str, Any]:
    """Opens an incident of the lowest severity that says that it is a test. It is closed by hand."""
    payload = {"summary": text[:SUMMARY_MAX], "source": "offload", "severity": "info"}
    return _event("trigger", f"test|{rule}") | {"payload": payload, "client": "Offload"}


def _event(action: str, key: str) -> dict[str, Any]:
    # The routing key is a secret: it is put in when the event is sent, and kept nowhere.
    return {"event_action": action, "dedup_key": f"offload:{key}"}
