"""`AlertRules`: the declared rules, with what operators changed of them, and the rules that operators added.

Changes are kept in the queue server, as mutes are: rules are measured while the database is away, which they tell of.
"""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

import msgspec

from service.engine.redis.client import Client
from service.engine.store.small_writes import write_small
from service.lib.clock import now_ms
from service.monitoring.alerts import keys
from service.monitoring.alerts.records import NoSuchRule
from settings.alert_faults import fault_of, problems
from settings.alert_rules import MEASURES, Rule, Severity
from tasks.sdk.types import REGISTRY

NAME = re.compile(r"[a-z0-9]+(-[a-z0-9]+)*")
NAME_MAX = 60
ADDED_MAX = 100
"""Rules that operators may add: each is measured every ten seconds."""

COOL_DOWN_MIN_S = 60
"""Seconds between two messages of one rule and subject at least: one that crosses its threshold to and fro would send a
message each time that it is measured."""

SENTENCE_MAX = 300


class RuleRefused(ValueError):
    """A rule that cannot be. Its message is a sentence; `field` is the wrong one."""

    def __init__(self, field: str, sentence: str) -> None:
        super().__init__(sentence)
        self.field = field


class RuleChange(msgspec.Struct, frozen=True):
    """An operator's change: fields of a rule that differ from the declared one, or all of one that was added. Times in ms."""

    by: str
    at_ms: int
    fields: dict[str, Any] = {}
    on: bool = True
    """False: the rule is not measured, and what fired is resolved."""
    removed: bool = False
    """True for an added rule until what fired of it is resolved."""


@dataclass(frozen=True)
class RuleInForce:
    """A rule as it holds now."""

    rule: Rule
    change: RuleChange | None = None
    declared: Rule | None = None
    """The rule of settings/alert_rules.py, or of a package; None for one that an operator added."""
    problem: str | None = None
    """Fault, in one sentence: such a rule is not measured."""

    @property
    def on(self) -> bool:
        """False where an operator switched it off."""
        return self.change is None or self.change.on


class AlertRules:
    """Reads and changes the rules."""

    def __init__(self, redis: Client, declared: Sequence[Rule]) -> None:
        self.redis = redis
        self.declared = {rule.name: rule for rule in declared}
        self.problems = problems(tuple(declared))

    async def in_force(self) -> dict[str, RuleInForce]:
        """Every rule by name: the declared ones in their order, then those that were added."""
        changes = await self._changes()
        found = {name: self._declared(rule, changes.pop(name, None)) for name, rule in self.declared.items()}
        for name, change in sorted(changes.items()):
            try:
                rule = msgspec.convert({**change.fields, "name": name}, Rule)
            except msgspec.ValidationError as error:
                # Written by another version, or for a rule that is declared no more: it is shown, so that it can be removed.
                known = {field: change.fields.get(field, "") for field in ("measure", "summary", "recovery")}
                rule = Rule(name=name, threshold=0, severity=Severity.WARNING, **known)
                found[name] = RuleInForce(rule, change, None, f"the alert rule {name} cannot be read: {error}")
            else:
                found[name] = RuleInForce(rule, change, None, problem_of(rule))
        return found

    def _declared(self, rule: Rule, change: RuleChange | None) -> RuleInForce:
        if change is None:
            return RuleInForce(rule, None, rule, self.problems.get(rule.name))
        try:
            changed = msgspec.convert({**msgspec.to_builtins(rule), **change.fields}, Rule)
        except msgspec.ValidationError as error:
            return RuleInForce(rule, change, rule, f"the change of {rule.name} cannot be read: {error}")
        return RuleInForce(changed, change, rule, self.problems.get(rule.name) or problem_of(changed))

    async def get(self, name: str) -> RuleInForce:
        """One rule. Raises NoSuchRule."""
        found = (await self.in_force()).get(name)
        if found is None or (found.change and found.change.removed):
            raise NoSuchRule(name)
        return found

    async def change(self, name: str, fields: Mapping[str, Any], *, by: str, seen_ms: int) -> RuleInForce:
        """Set fields of a rule; those that are as declared are left out. `seen_ms` is the `at_ms` of the change that the
        operator has seen, 0 for none. Raises NoSuchRule, RuleRefused."""
        before = await self.get(name)
        self._refuse_other_change(before, seen_ms)
        rule = replace(before.rule, **fields)
        refuse(rule)
        kept = {**(before.change.fields if before.change else {}), **fields}
        if before.declared:
            kept = {field: value for field, value in kept.items() if getattr(before.declared, field) != value}
        await self._keep(name, RuleChange(by, now_ms(), kept, before.on))
        return await self.get(name)

    async def add(self, rule: Rule, *, by: str) -> None:
        """Add a rule. Raises RuleRefused."""
        rules = await self.in_force()
        if not NAME.fullmatch(rule.name) or len(rule.name) > NAME_MAX:
            raise RuleRefused("name", f"A name has small letters, digits and hyphens, {NAME_MAX} at most.")
        if rule.name in rules:
            raise RuleRefused("name", f"There is an alert rule {rule.name} already.")
        if sum(one.declared is None for one in rules.values()) >= ADDED_MAX:
            raise RuleRefused("name", f"{ADDED_MAX} rules have been added, as many as can be: remove one first.")
        refuse(rule)
        fields = {field: value for field, value in msgspec.to_builtins(rule).items() if field != "name"}
        await self._keep(rule.name, RuleChange(by, now_ms(), fields))

    async def switch(self, name: str, *, on: bool, by: str) -> None:
        """Let a rule be measured, or not. Raises NoSuchRule."""
        found = await self.get(name)
        fields = found.change.fields if found.change else {}
        if on and found.declared and not fields:
            await self._forget(name)
        else:
            await self._keep(name, RuleChange(by, now_ms(), fields, on))

    async def reset(self, name: str, *, by: str) -> None:
        """Make a declared rule as it is declared, and remove one that was added. Raises NoSuchRule."""
        found = await self.get(name)
        if found.declared:
            await self._forget(name)
        elif found.change:
            await self._keep(name, RuleChange(by, now_ms(), found.change.fields, on=False, removed=True))

    async def clear(self, name: str) -> None:
        """Forget a removed rule, of which nothing fires any more."""
        await self._forget(name)

    @staticmethod
    def _refuse_other_change(found: RuleInForce, seen_ms: int) -> None:
        if found.change and found.change.at_ms != seen_ms:
            raise RuleRefused(
                "", f"{found.change.by} has changed {found.rule.name} in the meantime: look at it, and change it again."
            )

    async def _changes(self) -> dict[str, RuleChange]:
        raws = await self.redis.hgetall(keys.ALERT_RULES)
        return {name.decode(): msgspec.json.decode(raw, type=RuleChange) for name, raw in raws.items()}

    async def _keep(self, name: str, change: RuleChange) -> None:
        pipe = self.redis.pipeline(transaction=True)
        pipe.hset(keys.ALERT_RULES, name, msgspec.json.encode(change))
        await write_small(self.redis, pipe)

    async def _forget(self, name: str) -> None:
        await self.redis.hdel(keys.ALERT_RULES, name)


def problem_of(rule: Rule) -> str | None:
    """Fault of a rule, in one sentence."""
    return problems([rule], REGISTRY).get(rule.name)


def refuse(rule: Rule) -> None:
    """Raise RuleRefused for a rule that is wrong, could never fire, or would fire without end."""
    measure = MEASURES.get(rule.measure)
    if measure and measure.unit == "%" and not (0 < rule.threshold < 1):
        raise RuleRefused(
            "threshold", "A share is above 0 % and below 100 %: beyond that it would fire always, or never."
        )
    if rule.cool_down_s < COOL_DOWN_MIN_S:
        raise RuleRefused("cool_down_s", f"Between two messages are {COOL_DOWN_MIN_S} s at least.")
    for field in ("summary", "recovery"):
        if not 0 < len(getattr(rule, field).strip()) <= SENTENCE_MAX:
            raise RuleRefused(field, f"A sentence has 1 to {SENTENCE_MAX} characters.")
    try:
        fault = fault_of(rule, REGISTRY)
    except ValueError:
        raise RuleRefused("summary", "A sentence has names in braces, and each brace that opens is closed.") from None
    if fault:
        raise RuleRefused(fault.field, fault.sentence[0].upper() + fault.sentence[1:] + ".")
