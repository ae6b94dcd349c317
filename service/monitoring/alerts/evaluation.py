"""The caretaker's duty: measure every rule, and tell what crossed its threshold for long enough, and its recovery."""

from collections.abc import Mapping
from typing import Any

import msgspec
import structlog
from redis.exceptions import RedisError

from service.engine.store.small_writes import write_small
from service.lib.clock import now_ms
from service.monitoring.alerts import keys, pagerduty, slack
from service.monitoring.alerts.alerts import Alerts, note, to_json
from service.monitoring.alerts.measures import Measures, Reading
from service.monitoring.alerts.records import HistoryEntry, Standing
from settings.alert_rules import Rule

log = structlog.get_logger("offload.alerts")


class Evaluation:
    """Takes every rule a step further."""

    def __init__(self, alerts: Alerts, measures: Measures) -> None:
        self.alerts = alerts
        self.measures = measures
        self.said: set[str] = set()

    async def evaluate(self) -> None:
        """Measure every rule once. One that cannot be measured keeps no other from being."""
        standings, mutes = await self.alerts.standings(), await self.alerts.mutes()
        for rule in self.alerts.declared.values():
            if rule.name in self.alerts.problems:
                self._say_problem(rule.name)
                continue
            mine = {standing.subject: standing for standing in standings.values() if standing.rule == rule.name}
            try:
                await self._evaluate(rule, mine, muted=rule.name in mutes)
            except (RedisError, OSError):
                raise
            except Exception:
                log.exception("an alert rule could not be evaluated", rule=rule.name)
        gone = [key for key, standing in standings.items() if standing.rule not in self.alerts.declared]
        if gone:
            await self.alerts.redis.hdel(keys.ALERTS, *gone)

    async def _evaluate(self, rule: Rule, mine: Mapping[str, Standing], *, muted: bool) -> None:
        readings = {reading.subject: reading for reading in await self.measures.take(rule)}
        # What is no longer there to be measured is no longer wrong.
        for subject in mine.keys() - readings.keys():
            readings[subject] = Reading(subject, None)
        for subject, reading in readings.items():
            await self._step(rule, mine.get(subject) or Standing(rule.name, subject), reading, muted=muted)

    def _say_problem(self, name: str) -> None:
        if name not in self.said:
            self.said.add(name)
            log.error("an alert rule cannot be evaluated", rule=name, problem=self.alerts.problems[name])

    async def _step(self, rule: Rule, standing: Standing, reading: Reading, *, muted: bool) -> None:
        """One measurement's consequences, with everything that is said of them, in one transaction."""
        at_ms, before = now_ms(), msgspec.json.encode(standing)
        standing.value, pipe = reading.value, self.alerts.redis.pipeline(transaction=True)
        if rule.broken_by(reading.value):
            standing.detail, standing.link = reading.detail, reading.link
            if standing.state == "quiet":
                standing.state, standing.since_ms = "pending", at_ms
            if standing.state == "pending" and at_ms - (standing.since_ms or at_ms) >= rule.for_s * 1000:
                self._fire(pipe, rule, standing, at_ms, muted=muted)
            elif standing.state == "firing" and not standing.announced and self._may_tell(rule, standing, at_ms, muted):
                self._tell(pipe, rule, standing, at_ms)
        else:
            if standing.state == "firing":
                self._resolve(pipe, rule, standing, at_ms)
            standing.state, standing.since_ms = "quiet", None
            standing.detail, standing.link = reading.detail, reading.link
        if msgspec.json.encode(standing) != before:
            pipe.hset(keys.ALERTS, standing.key, to_json(standing))
        await write_small(self.alerts.redis, pipe)

    def _fire(self, pipe: Any, rule: Rule, standing: Standing, at_ms: int, *, muted: bool) -> None:
        standing.state, standing.fired_ms, standing.announced = "firing", at_ms, False
        may_tell = self._may_tell(rule, standing, at_ms, muted)
        said, sent = sentence(rule, rule.summary, standing), self._receivers(rule) if may_tell else []
        if may_tell:
            self._tell(pipe, rule, standing, at_ms)
        note(pipe, HistoryEntry(at_ms, rule.name, standing.subject, "fired", str(rule.severity), said, sent))
        log.warning("alert", rule=rule.name, subject=standing.subject, said=said, sent=sent, muted=muted)

    @staticmethod
    def _may_tell(rule: Rule, standing: Standing, at_ms: int, muted: bool) -> bool:
        cool = standing.told_ms is None or at_ms - standing.told_ms >= rule.cool_down_s * 1000
        return cool and not muted

    def _receivers(self, rule: Rule) -> list[str]:
        return [name for name in self.alerts.receivers if name == "slack" or rule.pages]

    def _tell(self, pipe: Any, rule: Rule, standing: Standing, at_ms: int) -> None:
        standing.announced, standing.told_ms = True, at_ms
        said, url = sentence(rule, rule.summary, standing), self.alerts.settings.links_url + standing.link
        bodies = {
            "slack": slack.alert_blocks(rule.name, said, rule.severity, url, resolved=False),
            "pager": pagerduty.trigger(standing.key, said, rule.severity, standing.subject, url),
        }
        for name in self._receivers(rule):
            self.alerts.outbox.add(pipe, f"{standing.key}|{standing.fired_ms}|fired", name, bodies[name], said)

    def _resolve(self, pipe: Any, rule: Rule, standing: Standing, at_ms: int) -> None:
        standing.resolved_ms = at_ms
        said = sentence(rule, rule.recovery, standing)
        # A recovery is told to whoever was told of the alert, muted or not: an incident must not stay open.
        sent = self._receivers(rule) if standing.announced else []
        bodies = {
            "slack": slack.alert_blocks(
                rule.name, said, rule.severity, self.alerts.settings.links_url + standing.link, resolved=True
            ),
            "pager": pagerduty.resolve(standing.key, said),
        }
        for name in sent:
            self.alerts.outbox.add(pipe, f"{standing.key}|{standing.fired_ms}|resolved", name, bodies[name], said)
        standing.announced = False
        note(pipe, HistoryEntry(at_ms, rule.name, standing.subject, "resolved", str(rule.severity), said, sent))
        log.info("alert resolved", rule=rule.name, subject=standing.subject, said=said, sent=sent)


def sentence(rule: Rule, template: str, standing: Standing) -> str:
    """Sentence of an alert."""
    return template.format(
        subject=standing.subject,
        value=rule.shown(standing.value),
        threshold=rule.shown(rule.threshold),
        detail=standing.detail,
    )
