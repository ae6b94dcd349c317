"""Alert rules at the dashboard: changed, added, switched off, tried, and the runbook that they lead to."""

import pytest
from litestar import Litestar

from dashboard.dependencies import shared_figures
from service.lib.clock import now_ms
from service.monitoring.alerts import AlertStatus
from settings.alert_rules import RULES
from tests.dashboard.conftest import Client, act
from tests.dashboard.made import Maker

PAGE = "/admin/alerts/rules/queue-backlog"


async def test_a_rule_is_changed_and_made_as_it_was(operator: Client, made: Maker) -> None:
    page = (await operator.get(PAGE)).text
    assert 'name="threshold"' in page and "It would have fired 0 times" in page
    answer = await act(
        operator, PAGE, threshold="7", for_s="2", cool_down_s="30", severity="critical", pages="on", seen="0"
    )
    assert answer.headers["location"] == f"{PAGE}?notice=rule-saved"
    rule = (await made.services.alerts.in_force())["queue-backlog"].rule
    assert (rule.threshold, rule.for_s, rule.severity, rule.pages) == (7, 120, "critical", True)
    assert "(declared: 100)" in (await operator.get(PAGE)).text
    assert "changed by admin" in (await operator.get("/admin/alerts")).text
    await act(operator, f"{PAGE}/reset")
    assert (await made.services.alerts.in_force())["queue-backlog"].rule.threshold == 100


async def test_a_rule_is_added_with_percent_and_minutes_and_removed(operator: Client, made: Maker) -> None:
    form = {
        "name": "exports-fail",
        "measure": "failure_rate",
        "of": "csv-export",
        "direction": "above",
        "threshold": "12.5",
    }
    form |= {"for_s": "0", "window_s": "60", "cool_down_s": "30", "severity": "error"}
    assert (await act(operator, "/admin/alerts/rules", **form)).status_code == 303
    rule = (await made.services.alerts.in_force())["exports-fail"].rule
    assert (rule.threshold, rule.window_s, rule.of, rule.unit) == (0.125, 3600, "csv-export", "%")
    page = (await operator.get("/admin/alerts/rules/exports-fail")).text
    assert 'value="12.5"' in page and "an operator" in page
    await act(operator, "/admin/alerts/rules/exports-fail/reset")
    assert (await operator.get("/admin/alerts/rules/exports-fail")).status_code == 404


@pytest.mark.parametrize(
    ("given", "status", "sentence"),
    [
        ({"threshold": "many"}, 400, "many is not a number."),
        ({"threshold": "nan"}, 400, "nan is not a number from 0"),
        ({"cool_down_s": "0"}, 400, "Between two messages are 60 s at least."),
        ({"summary": "{x}"}, 400, "names {x} in a sentence"),
        ({"of": "deleted"}, 400, "is of the queue deleted, which does not exist"),
        ({"severity": "loud"}, 400, "A severity is one of critical, error, warning."),
        ({"threshold": "5", "seen": "17"}, 409, "admin has changed queue-backlog in the meantime"),
    ],
)
async def test_a_rule_that_cannot_be_is_refused_with_a_sentence(
    operator: Client, made: Maker, given: dict[str, str], status: int, sentence: str
) -> None:
    if "seen" in given:
        await made.services.alerts.rulebook.change("queue-backlog", {"threshold": 3}, by="admin", seen_ms=0)
    before = (await made.services.alerts.in_force())["queue-backlog"].rule
    answer = await act(operator, PAGE, **given)
    assert answer.status_code == status and sentence in answer.text
    assert (await made.services.alerts.in_force())["queue-backlog"].rule == before


async def test_a_rule_is_switched_off_and_tried(operator: Client, made: Maker) -> None:
    await act(operator, f"{PAGE}/off")
    assert not (await made.services.alerts.in_force())["queue-backlog"].on
    await act(operator, f"{PAGE}/on")
    assert (await made.services.alerts.in_force())["queue-backlog"].change is None
    answer = await act(operator, f"{PAGE}/test")
    assert answer.headers["location"].endswith("notice=rule-no-receiver"), "none is set in the tests"


async def test_the_runbook_has_a_place_for_each_rule(operator: Client) -> None:
    page = (await operator.get("/admin/runbook")).text
    assert all(f'<h2 id="{rule.name}">' in page for rule in RULES)
    assert ".md" not in page, "other documents are no pages here"


async def test_what_changed_before_an_alert_began_stands_beside_it(
    operator: Client, made: Maker, served: tuple[Litestar, str], monkeypatch: pytest.MonkeyPatch
) -> None:
    services = made.services
    await act(operator, "/admin/deploys", text="<b>2.0</b> is out")
    at_ms = now_ms()
    status = AlertStatus(
        rule="queue-backlog", subject="csv-export", state="firing", value=200.0, since_ms=at_ms, fired_ms=at_ms
    )

    async def statuses() -> dict[str, AlertStatus]:
        return {status.key: status}

    # The elected process measures on, and would find that nothing waits.
    monkeypatch.setattr(services.alerts, "statuses", statuses)
    served[0].state.update(shared_figures(services))
    page = (await operator.get("/admin/alerts")).text
    assert "What changed before this began (" in page and "&lt;b&gt;2.0&lt;/b&gt; is out" in page
    rule = (await operator.get("/admin/alerts/rules/queue-backlog")).text
    assert "what changed before this began" in rule and "&lt;b&gt;2.0&lt;/b&gt; is out" in rule
    for address in ("/admin/queues", "/admin/queues/live", "/admin/metrics?period=hour"):
        shown = (await operator.get(address)).text
        assert '<line class="mark"' in shown and "Deploy: &lt;b&gt;2.0&lt;/b&gt; is out" in shown
        assert "<b>2.0" not in shown


async def test_a_mark_without_words_is_refused(operator: Client, made: Maker) -> None:
    answer = await act(operator, "/admin/deploys", text=" ")
    assert answer.status_code == 400 and "The text of a deploy mark is a few printable words" in answer.text


async def test_a_rule_that_measures_nothing_says_so(operator: Client, made: Maker) -> None:
    page = " ".join((await operator.get("/admin/alerts")).text.split())
    assert 'data-label="Measured now"><' not in page and 'data-label="Measured now">nothing to measure<' in page
