"""Alerts: rules are measured, what crosses a threshold for long enough is told, and so is its recovery.

`services.alerts` is an `Alerts`:

    await alerts.rules() -> list[RuleState]                every rule, with what it measures now and whether it is muted
    await alerts.firing() -> list[(Rule, AlertStatus)]     what fires now, most serious first
    await alerts.rulebook.change(rule, fields, by=, …)     and add, switch, reset: raise NoSuchRule, RuleRefused
    await alerts.send_test(rule, by=)                      to all that a firing of it would reach
    await alerts.history(limit=100) -> list[HistoryEntry]  newest first, 500 kept
    await alerts.outbox.channels() -> list[Channel]        the receivers that are set: what waits, and why it could not be sent
    await alerts.outbox.waiting() -> list[Message]         what could not be sent yet, oldest first
    await alerts.mute(rule, reason=, by=, until_ms=)       raises NoSuchRule, ValueError (no reason, end in the past)
    await alerts.unmute(rule, by=)                         raises NoSuchRule
    alerts.receivers -> list[str]                          names of those that are set; none: kept and shown only
"""

from service.monitoring.alerts.alerts import Alerts
from service.monitoring.alerts.records import AlertStatus, Channel, HistoryEntry, Message, NoSuchRule, RuleState

__all__ = ["AlertStatus", "Alerts", "Channel", "HistoryEntry", "Message", "NoSuchRule", "RuleState"]
