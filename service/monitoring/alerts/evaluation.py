"""A duty of the maintenance leader: measure every rule, and send what crossed its threshold for long enough, and its recovery."""

from collections.abc import Mapping, Sequence
from typing import Any

import msgspec
import structlog
from redis.exceptions import RedisError

from service.engine.store.small_writes import write_small
from service.lib.clock import now_ms
from service.monitoring.alerts import keys, messages
from service.monitoring.alerts.alerts import Alerts, record, to_json
from service.monitoring.alerts.measures import Measures
from service.monitoring.alerts.messages import sentence
from service.monitoring.alerts.records import AlertStatus, HistoryEntry
from service.monitoring.alerts.silence import Reading
from settings.alert_rules import Rule

log = structlog.get_logger("offload.alerts")


class Evaluation:
    """Takes every rule a step further."""

    def __init__(self, alerts: Alerts, measures: Measures) -> None:
        self.alerts = alerts
        self.measures = measures
        self.logged: set[str] = set()

    async def evaluate(self) -> None:
        """Measure every rule once. One that cannot be measured keeps no other from being."""
        statuses, mutes = await self.alerts.statuses(), await self.alerts.mutes()
        in_force = await self.alerts.rulebook.in_force()
        for name, one in in_force.items():
            mine = {status.subject: status for status in statuses.values() if status.rule == name}
            if one.on and one.problem:
                self._log_problem(name, one.problem)
                continue
            try:
                readings = await self.measures.take(one.rule) if one.on else []
                await self._evaluate(one.rule, mine, readings, muted=name in mutes)
            except (RedisError, OSError):
                raise
            except Exception:
                log.exception("alert_rule.failed", rule=name)
            if one.change and one.change.removed:
                await self.alerts.rulebook.clear(name)
                in_force = {other: rule for other, rule in in_force.items() if other != name}
        gone = [key for key, status in statuses.items() if status.rule not in in_force]
        if gone:
            await self.alerts.redis.hdel(keys.ALERTS, *gone)

    async def _evaluate(
        self, rule: Rule, mine: Mapping[str, AlertStatus], taken: Sequence[Reading], *, muted: bool
    ) -> None:
        readings = {reading.subject: reading for reading in taken}
        # What is no longer there to be measured is no longer wrong.
        for subject in mine.keys() - readings.keys():
            readings[subject] = Reading(subject, None)
        for subject, reading in readings.items():
            await self._step(rule, mine.get(subject) or AlertStatus(rule.name, subject), reading, muted=muted)

    def _log_problem(self, name: str, problem: str) -> None:
        if name not in self.logged:
            self.logged.add(name)
            log.error("alert_rule.invalid", rule=name, reason=problem)

    async def _step(self, rule: Rule, status: AlertStatus, reading: Reading, *, muted: bool) -> None:
        """One measurement's consequences, with everything that is said of them, in one transaction."""
        at_ms, before = now_ms(), msgspec.json.encode(status)
        status.value, pipe = reading.value, self.alerts.redis.pipeline(transaction=True)
        if rule.broken_by(reading.value):
            status.detail, status.link = reading.detail, reading.link
            if status.state == "quiet":
                status.state, status.since_ms = "pending", at_ms
            if status.state == "pending" and at_ms - (status.since_ms or at_ms) >= rule.for_s * 1000:
                self._fire(pipe, rule, status, at_ms, muted=muted)
            elif status.state == "firing" and not status.announced and self._may_send(rule, status, at_ms, muted):
                self._send(pipe, rule, status, at_ms)
        else:
            if status.state == "firing":
                self._resolve(pipe, rule, status, at_ms)
            status.state, status.since_ms = "quiet", None
            status.detail, status.link = reading.detail, reading.link
        if msgspec.json.encode(status) != before:
            pipe.hset(keys.ALERTS, status.key, to_json(status))
        await write_small(self.alerts.redis, pipe)

    def _fire(self, pipe: Any, rule: Rule, status: AlertStatus, at_ms: int, *, muted: bool) -> None:
        status.state, status.fired_ms, status.announced = "firing", at_ms, False
        may_send = self._may_send(rule, status, at_ms, muted)
        text = sentence(rule, rule.summary, status)
        sent = self.alerts.outbox.receivers_of(rule) if may_send else []
        if may_send:
            self._send(pipe, rule, status, at_ms)
        record(pipe, HistoryEntry(at_ms, rule.name, status.subject, "fired", str(rule.severity), text, sent))
        log.warning("alert.fired", rule=rule.name, subject=status.subject, text=text, sent=sent, muted=muted)

    @staticmethod
    def _may_send(rule: Rule, status: AlertStatus, at_ms: int, muted: bool) -> bool:
        cool = status.sent_ms is None or at_ms - status.sent_ms >= rule.cool_down_s * 1000
        return cool and not muted

    def _send(self, pipe: Any, rule: Rule, status: AlertStatus, at_ms: int) -> None:
        status.announced, status.sent_ms = True, at_ms
        text = sentence(rule, rule.summary, status)
        bodies = messages.fired(self.alerts.settings, rule, status, text)
        self.alerts.outbox.add_for(pipe, rule, f"{status.key}|{status.fired_ms}|fired", bodies, text)

    def _resolve(self, pipe: Any, rule: Rule, status: AlertStatus, at_ms: int) -> None:
        status.resolved_ms = at_ms
        text = sentence(rule, rule.recovery, status)
        # A recovery is sent to the receivers of the alert, muted or not: an incident must not stay open.
        sent: list[str] = []
        if status.announced:
            bodies = messages.resolved(self.alerts.settings, rule, status, text)
            sent = self.alerts.outbox.add_for(pipe, rule, f"{status.key}|{status.fired_ms}|resolved", bodies, text)
        status.announced = False
        record(pipe, HistoryEntry(at_ms, rule.name, status.subject, "resolved", str(rule.severity), text, sent))
        log.info("alert.resolved", rule=rule.name, subject=status.subject, text=text, sent=sent)
