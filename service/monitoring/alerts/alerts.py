"""`Alerts`: what pages read and do about alerts."""

from collections.abc import Mapping, Sequence
from typing import Any

import msgspec

from service.engine.holds import Hold, hold
from service.engine.redis.client import Client
from service.engine.store.small_writes import write_small
from service.lib.clock import now_ms
from service.monitoring.alerts import keys, messages
from service.monitoring.alerts.outbox import Outbox
from service.monitoring.alerts.records import AlertStatus, HistoryEntry, NoSuchRule, RuleState
from service.monitoring.alerts.rules import AlertRules, RuleInForce
from settings import Settings
from settings.alert_rules import RULES, Rule, Severity

HISTORY_MAX = 500

to_json = msgspec.json.Encoder().encode


class Alerts:
    """Reads where every rule stands, and mutes."""

    def __init__(self, settings: Settings, redis: Client, declared: Sequence[Rule] = RULES) -> None:
        self.redis = redis
        self.settings = settings
        self.rulebook = AlertRules(redis, declared)
        self.outbox = Outbox(settings, redis)

    @property
    def receivers(self) -> Sequence[str]:
        """Those of slack and pager that are set; none: alerts are kept and shown only."""
        return self.outbox.receivers

    async def rules(self) -> list[RuleState]:
        """Every rule, in order of declaration; then those that were added."""
        in_force, statuses, mutes = await self.in_force(), await self.statuses(), await self.mutes()
        return [
            RuleState(
                one.rule,
                mutes.get(name),
                sorted(
                    (status for status in statuses.values() if status.rule == name),
                    key=lambda status: (status.state != "firing", status.state != "pending", status.subject),
                ),
                one.problem,
                on=one.on,
                changed_by=one.change.by if one.change else "",
                added=one.declared is None,
            )
            for name, one in in_force.items()
        ]

    async def in_force(self) -> Mapping[str, RuleInForce]:
        """Every rule as it holds now, by name, without those that are being removed."""
        found = await self.rulebook.in_force()
        return {name: one for name, one in found.items() if not (one.change and one.change.removed)}

    async def firing(self) -> list[tuple[Rule, AlertStatus]]:
        """Alerts that fire now, each with its rule, most serious first, then oldest."""
        order = {severity: number for number, severity in enumerate(Severity)}
        in_force = await self.in_force()
        found = [
            (in_force[one.rule].rule, one)
            for one in (await self.statuses()).values()
            if one.state == "firing" and one.rule in in_force
        ]
        return sorted(found, key=lambda one: (order[one[0].severity], one[1].fired_ms or 0))

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
        found = await self._find(rule)
        mute = hold(reason, by, until_ms)
        await self._record_mute(found, to_json(mute), "muted", mute.reason, by)
        return mute

    async def unmute(self, rule: str, *, by: str) -> None:
        """Remove a mute; active alerts that were not sent are sent then. Raises NoSuchRule."""
        found = await self._find(rule)
        if rule in await self.mutes():
            await self._record_mute(found, None, "unmuted", "", by)

    async def send_test(self, rule: Rule, *, by: str) -> Sequence[str]:
        """Send a message that says that it is a test to all that a firing of `rule` would reach. Returns their names."""
        pipe = self.redis.pipeline(transaction=True)
        bodies = messages.tried(self.settings, rule, by)
        sent = self.outbox.add_for(pipe, rule, f"test|{rule.name}|{now_ms()}", bodies, f"test of {rule.name}")
        record(pipe, HistoryEntry(now_ms(), rule.name, "", "tried", str(rule.severity), "", list(sent), by=by))
        await write_small(self.redis, pipe)
        return sent

    async def _record_mute(self, rule: Rule, mute: bytes | None, event: str, text: str, by: str) -> None:
        pipe = self.redis.pipeline(transaction=True)
        if mute is None:
            pipe.hdel(keys.ALERT_MUTES, rule.name)
        else:
            pipe.hset(keys.ALERT_MUTES, rule.name, mute)
        record(pipe, HistoryEntry(now_ms(), rule.name, "", event, str(rule.severity), text, by=by))
        await pipe.execute()

    async def _find(self, rule: str) -> Rule:
        found = (await self.in_force()).get(rule)
        if found is None:
            raise NoSuchRule(rule)
        return found.rule


def record(pipe: Any, entry: HistoryEntry) -> None:
    """Add an event to the history, in the caller's transaction."""
    pipe.lpush(keys.ALERT_HISTORY, to_json(entry))
    pipe.ltrim(keys.ALERT_HISTORY, 0, HISTORY_MAX - 1)
