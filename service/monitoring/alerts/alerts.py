"""`Alerts`: what pages read and do about alerts."""

from collections.abc import Sequence
from typing import Any

import msgspec

from service.engine.holds import Hold, hold
from service.engine.redis.client import Client
from service.lib.clock import now_ms
from service.monitoring.alerts import keys
from service.monitoring.alerts.outbox import Outbox
from service.monitoring.alerts.records import AlertStatus, HistoryEntry, NoSuchRule, RuleState
from settings import Settings
from settings.alert_rules import RULES, Rule, Severity, problems

HISTORY_MAX = 500

to_json = msgspec.json.Encoder().encode


class Alerts:
    """Reads where every rule stands, and mutes."""

    def __init__(self, settings: Settings, redis: Client, declared: Sequence[Rule] = RULES) -> None:
        self.redis = redis
        self.settings = settings
        self.declared = {rule.name: rule for rule in declared}
        self.problems = problems(tuple(declared))
        """Fault of a rule, by its name: such a rule is shown and never evaluated."""
        self.outbox = Outbox(settings, redis)

    @property
    def receivers(self) -> Sequence[str]:
        """Those of slack and pager that are set; none: alerts are kept and shown only."""
        return self.outbox.receivers

    async def rules(self) -> list[RuleState]:
        """Every rule, in order of declaration."""
        statuses, mutes = await self.statuses(), await self.mutes()
        return [
            RuleState(
                rule,
                mutes.get(name),
                sorted(
                    (one for one in statuses.values() if one.rule == name),
                    key=lambda one: (one.state != "firing", one.state != "pending", one.subject),
                ),
                self.problems.get(name),
            )
            for name, rule in self.declared.items()
        ]

    async def firing(self) -> list[AlertStatus]:
        """Alerts that fire now, most serious first, then oldest."""
        order = {severity: number for number, severity in enumerate(Severity)}
        found = [one for one in (await self.statuses()).values() if one.state == "firing" and one.rule in self.declared]
        return sorted(found, key=lambda one: (order[self.declared[one.rule].severity], one.fired_ms or 0))

    async def statuses(self) -> dict[str, AlertStatus]:
        """Every measured subject by its key."""
        raws = await self.redis.hgetall(keys.ALERTS)
        return {key.decode(): msgspec.json.decode(raw, type=AlertStatus) for key, raw in raws.items()}

    async def mutes(self) -> dict[str, Hold]:
        """Mutes by rule; one that is over is forgotten."""
        raws = await self.redis.hgetall(keys.ALERT_MUTES)
        found = {name.decode(): msgspec.json.decode(raw, type=Hold) for name, raw in raws.items()}
        over = [name for name, mute in found.items() if mute.over(now_ms())]
        if over:
            await self.redis.hdel(keys.ALERT_MUTES, *over)
        return {name: mute for name, mute in found.items() if name not in over}

    async def history(self, limit: int = 100) -> list[HistoryEntry]:
        """Events, newest first."""
        raws = await self.redis.lrange(keys.ALERT_HISTORY, 0, limit - 1)
        return [msgspec.json.decode(raw, type=HistoryEntry) for raw in raws]

    async def mute(self, rule: str, *, reason: str, by: str, until_ms: int) -> Hold:
        """Send nothing of a rule for a while; it is watched and shown all the same. Raises NoSuchRule, ValueError."""
        self._find(rule)
        mute = hold(reason, by, until_ms)
        await self._record_mute(rule, to_json(mute), "muted", mute.reason, by)
        return mute

    async def unmute(self, rule: str, *, by: str) -> None:
        """Remove a mute; active alerts that were not sent are sent then. Raises NoSuchRule."""
        self._find(rule)
        if rule in await self.mutes():
            await self._record_mute(rule, None, "unmuted", "", by)

    async def _record_mute(self, rule: str, mute: bytes | None, event: str, text: str, by: str) -> None:
        pipe = self.redis.pipeline(transaction=True)
        if mute is None:
            pipe.hdel(keys.ALERT_MUTES, rule)
        else:
            pipe.hset(keys.ALERT_MUTES, rule, mute)
        severity = str(self.declared[rule].severity)
        record(pipe, HistoryEntry(now_ms(), rule, "", event, severity, text, by=by))
        await pipe.execute()

    def _find(self, rule: str) -> None:
        if rule not in self.declared:
            raise NoSuchRule(rule)


def record(pipe: Any, entry: HistoryEntry) -> None:
    """Add an event to the history, in the caller's transaction."""
    pipe.lpush(keys.ALERT_HISTORY, to_json(entry))
    pipe.ltrim(keys.ALERT_HISTORY, 0, HISTORY_MAX - 1)
