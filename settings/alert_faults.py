"""Faults of alert rules: found before a rule is measured, since one that measures nothing would be silent forever."""

from collections.abc import Collection, Sequence
from string import Formatter
from typing import NamedTuple

from settings.alert_rules import MEASURES, RULES, Measure, Rule
from settings.queues import Queue


class Fault(NamedTuple):
    """The wrong field of a rule, and a sentence without its full stop."""

    field: str
    sentence: str


PLACEHOLDERS = frozenset({"subject", "value", "threshold", "detail"})
"""Names that a rule's sentences may hold in braces."""


def problems(rules: Sequence[Rule], job_types: Collection[str] | None = None) -> dict[str, str]:
    """Faults of the rules' declarations, by the rule's name, a sentence for each.

    `job_types` are those that are declared; without them the job type of a rule is taken as it is.
    """
    names = [rule.name for rule in rules]
    found = {rule.name: fault.sentence for rule in rules if (fault := fault_of(rule, job_types))}
    twice = {name: f"two alert rules are called {name}" for name in names if names.count(name) > 1}
    return found | twice


def refuse_bad_rules(rules: Sequence[Rule] = RULES, job_types: Collection[str] | None = None) -> None:
    """Raise SystemExit with a sentence for each fault of the rules: one that measures nothing would be silent forever."""
    if found := problems(rules, job_types):
        raise SystemExit("\n".join(f"settings/alert_rules.py: {fault}." for fault in found.values()))


def fault_of(rule: Rule, job_types: Collection[str] | None) -> Fault | None:
    """The first fault of one rule; `job_types` as for `problems`."""
    lead = f"the alert rule {rule.name}"
    for field in ("window_s", "for_s", "cool_down_s", "threshold"):
        if getattr(rule, field) < 0:
            return Fault(field, f"{lead} has a negative {field}: {getattr(rule, field):g}")
    measure = MEASURES.get(rule.measure)
    if measure is None:
        there = f"there are {', '.join(MEASURES)}"
        return Fault("measure", f"{lead} names the measure {rule.measure}, which does not exist: {there}")
    if measure.windowed and not rule.window_s:
        return Fault("window_s", f"{lead} needs a window_s: {rule.measure} looks back over a span")
    used = {name for text in (rule.summary, rule.recovery) for _, name, _, _ in Formatter().parse(text) if name}
    if used - PLACEHOLDERS:
        unknown = ", ".join(sorted(used - PLACEHOLDERS))
        there = f"there are {', '.join(sorted(PLACEHOLDERS))}"
        return Fault("summary", f"{lead} names {{{unknown}}} in a sentence: {there}")
    wrong_subject = _fault_of_subject(lead, rule, measure, job_types)
    return Fault("of", wrong_subject) if wrong_subject else None


def _fault_of_subject(lead: str, rule: Rule, measure: Measure, job_types: Collection[str] | None) -> str | None:
    queues = [str(queue) for queue in Queue]
    if not rule.of:
        wanted = f"{lead} needs the name of one {measure.of} in `of`: {rule.measure} measures {measure.about}"
        return wanted if measure.of else None
    kind = measure.of or measure.one_of
    if kind is None:
        return f"{lead} is of {rule.of}, but {rule.measure} measures {measure.about}: leave `of` out"
    if kind == "queue" and rule.of not in queues:
        return f"{lead} is of the queue {rule.of}, which does not exist: there are {', '.join(queues)}"
    if kind == "job type" and job_types is not None and rule.of not in job_types:
        return f"{lead} is of the job type {rule.of}, which does not exist: there are {', '.join(sorted(job_types))}"
    return None
