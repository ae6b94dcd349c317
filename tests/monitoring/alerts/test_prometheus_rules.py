"""The rules of Prometheus say what our own say."""

from pathlib import Path

import yaml

from service.monitoring.alerts.prometheus_rules import EXPRESSIONS, rendered
from settings.alert_rules import MEASURES, RULES

FILE = Path(__file__).parents[3] / "docs" / "monitoring" / "prometheus-rules.yml"


def test_the_file_is_the_one_that_the_alert_rules_give() -> None:
    assert FILE.read_text() == rendered(), "run python -m service.monitoring.alerts.prometheus_rules"


def test_it_is_yaml_and_each_rule_that_prometheus_can_measure_is_in_it() -> None:
    (group,) = yaml.safe_load(rendered())["groups"]
    rules = {rule["alert"]: rule for rule in group["rules"]}
    assert EXPRESSIONS.keys() <= MEASURES.keys()
    measured = [rule for rule in RULES if rule.measure in EXPRESSIONS]
    assert len(rules) == len(measured) + 2
    backlog = next(rule for rule in RULES if rule.measure == "waiting_jobs")
    found = rules["OffloadQueueBacklog"]
    assert found["expr"].strip().endswith(f"> {backlog.threshold:g}")
    assert (found["for"], found["labels"]["severity"]) == (f"{backlog.for_s // 60:.0f}m", str(backlog.severity))
