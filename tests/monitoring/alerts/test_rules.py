"""Rules that operators change, add, switch off and remove; and all that a rule's alert links to."""

import re
from dataclasses import replace
from pathlib import Path

import pytest

from service.monitoring.alerts import Alerts, NoSuchRule
from service.monitoring.alerts.lookback import firings_of, waiting_by_hour
from service.monitoring.alerts.messages import runbook_path
from service.monitoring.alerts.rules import ADDED_MAX, RuleRefused
from service.monitoring.metrics.figures import Figures, Span
from settings.alert_rules import RULES, Rule, Severity
from tests.parts import Parts

RUNBOOK = Path(__file__).parents[3] / "docs" / "runbook.md"

MINE = Rule("mine", "waiting_jobs", 1, "{value} in {subject}", "over", Severity.WARNING, unit="jobs", of="thumbnails")


async def test_a_change_holds_in_every_process_and_only_what_differs_is_kept(parts: Parts) -> None:
    rulebook = parts.alerts.rulebook
    found = await rulebook.change("queue-backlog", {"threshold": 2, "for_s": 600.0}, by="ann", seen_ms=0)
    assert found.change is not None and found.change.fields == {"threshold": 2}
    other = Alerts(parts.settings, parts.store.redis)
    assert (await other.in_force())["queue-backlog"].rule.threshold == 2
    await parts.echo(3)
    await rulebook.change("queue-backlog", {"for_s": 0.0}, by="ann", seen_ms=found.change.at_ms)
    await parts.evaluation.evaluate()
    assert [rule.name for rule, _ in await parts.alerts.firing()] == ["queue-backlog"]
    await rulebook.reset("queue-backlog", by="ann")
    assert (await parts.alerts.in_force())["queue-backlog"].rule == next(r for r in RULES if r.name == "queue-backlog")
    await parts.evaluation.evaluate()
    assert not await parts.alerts.firing(), "a hundred may wait again"


async def test_a_rule_that_was_added_is_about_what_it_names_and_resolved_when_it_is_removed(parts: Parts) -> None:
    await parts.alerts.rulebook.add(MINE, by="ann")
    await parts.echo(2)
    await parts.evaluation.evaluate()
    ((rule, status),) = await parts.alerts.firing()
    assert (rule.name, status.subject) == ("mine", "thumbnails")
    assert {one.subject for one in (await parts.alerts.statuses()).values() if one.rule == "mine"} == {"thumbnails"}
    await parts.alerts.rulebook.reset("mine", by="ann")
    with pytest.raises(NoSuchRule):
        await parts.alerts.rulebook.get("mine")
    await parts.evaluation.evaluate()
    assert "mine" not in await parts.alerts.rulebook.in_force()
    assert not [one for one in (await parts.alerts.statuses()).values() if one.rule == "mine"]
    assert [entry.event for entry in await parts.alerts.history() if entry.rule == "mine"] == ["resolved", "fired"]


async def test_a_rule_that_is_switched_off_is_not_measured_and_what_fired_is_resolved(parts: Parts) -> None:
    rulebook = parts.alerts.rulebook
    await rulebook.change("queue-backlog", {"threshold": 0, "for_s": 0.0}, by="ann", seen_ms=0)
    await parts.echo()
    await parts.evaluation.evaluate()
    assert await parts.alerts.firing()
    await rulebook.switch("queue-backlog", on=False, by="ann")
    await parts.evaluation.evaluate()
    assert not await parts.alerts.firing()
    (state,) = [one for one in await parts.alerts.rules() if one.rule.name == "queue-backlog"]
    assert not state.on and state.changed_by == "ann"
    await rulebook.switch("queue-backlog", on=True, by="ann")
    await parts.evaluation.evaluate()
    assert await parts.alerts.firing(), "its threshold is still the changed one"


@pytest.mark.parametrize(
    ("rule", "field", "sentence"),
    [
        (replace(MINE, name="Not A Name"), "name", "small letters, digits and hyphens"),
        (replace(MINE, name="queue-backlog"), "name", "There is an alert rule queue-backlog already."),
        (replace(MINE, of="deleted-queue"), "of", "is of the queue deleted-queue, which does not exist"),
        (replace(MINE, measure="nothing"), "measure", "names the measure nothing, which does not exist"),
        (replace(MINE, cool_down_s=1), "cool_down_s", "Between two messages are 60 s at least."),
        (replace(MINE, summary="{subject"), "summary", "each brace that opens is closed"),
        (replace(MINE, summary="{nobody}"), "summary", "names {nobody} in a sentence"),
        (replace(MINE, summary=" "), "summary", "A sentence has 1 to 300 characters."),
        (replace(MINE, measure="failure_rate", unit="%", threshold=5), "threshold", "A share is above 0 %"),
        (replace(MINE, measure="failure_rate", unit="%", threshold=0.5), "window_s", "needs a window_s"),
    ],
)
async def test_a_rule_that_could_never_fire_or_would_fire_without_end_is_refused(
    parts: Parts, rule: Rule, field: str, sentence: str
) -> None:
    with pytest.raises(RuleRefused, match=re.escape(sentence)) as refused:
        await parts.alerts.rulebook.add(rule, by="ann")
    assert refused.value.field == field
    assert "mine" not in await parts.alerts.in_force()


async def test_the_second_of_two_operators_is_told_of_the_first(parts: Parts) -> None:
    await parts.alerts.rulebook.change("queue-backlog", {"threshold": 5}, by="ann", seen_ms=0)
    with pytest.raises(RuleRefused, match="ann has changed queue-backlog in the meantime"):
        await parts.alerts.rulebook.change("queue-backlog", {"threshold": 7}, by="bob", seen_ms=0)
    assert (await parts.alerts.in_force())["queue-backlog"].rule.threshold == 5


async def test_no_more_rules_are_added_than_can_be_measured(parts: Parts) -> None:
    for number in range(ADDED_MAX):
        await parts.alerts.rulebook.add(replace(MINE, name=f"mine-{number}"), by="ann")
    with pytest.raises(RuleRefused, match="100 rules have been added"):
        await parts.alerts.rulebook.add(MINE, by="ann")


def test_the_past_is_tried_by_the_hour() -> None:
    rule = replace(MINE, threshold=100, for_s=7200)
    assert firings_of(rule, [50, 150, 150, 150, 50, 150, 50, 150, 150]) == 2
    spans = [Span(0, Figures({"enqueued": 120, "completed": 20}), {}, frozenset()) for _ in range(2)]
    spans.append(Span(0, Figures({"completed": 150, "failed": 10}), {}, frozenset()))
    assert waiting_by_hour(spans, 40) == [100, 200, 40]


def test_each_rule_has_a_section_of_the_runbook() -> None:
    sections = re.findall(r"^## (.+)$", RUNBOOK.read_text(encoding="utf-8"), re.MULTILINE)
    assert sections == [*(rule.name for rule in RULES), "rules-of-your-own"]
    assert runbook_path(MINE) == "/admin/runbook#queue-backlog"
    assert runbook_path(replace(MINE, measure="owner_failed_jobs")) == "/admin/runbook#rules-of-your-own"
