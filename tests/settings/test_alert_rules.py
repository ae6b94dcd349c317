"""Alert rules: each fault of a declaration is a sentence, and refused when a process starts."""

import re
from dataclasses import replace
from pathlib import Path

import pytest

from service.monitoring.alerts.measures import Measures
from service.monitoring.alerts.server_measures import ServerMeasures
from settings.alert_faults import problems, refuse_bad_rules
from settings.alert_rules import MEASURES, RULES, Rule, Severity
from tasks.sdk.types import REGISTRY

WAITING = Rule("mine", "waiting_jobs", 1, "{value}", "over", Severity.WARNING)


@pytest.mark.parametrize(
    ("rule", "sentence"),
    [
        (replace(WAITING, of="csv"), "is of the queue csv, which does not exist"),
        (
            replace(WAITING, measure="evicted_keys", of="x"),
            "is of x, but evicted_keys measures the queue server: leave `of` out",
        ),
        (
            replace(WAITING, measure="owner_failed_jobs"),
            "needs the name of one owner in `of`: owner_failed_jobs measures one owner",
        ),
        (
            replace(WAITING, measure="waiting"),
            "names the measure waiting, which does not exist: there are waiting_jobs,",
        ),
        (
            replace(WAITING, measure="running_s"),
            "needs the name of one job type in `of`: running_s measures one job type",
        ),
        (replace(WAITING, measure="timeouts", window_s=60, of="csv"), "is of the queue csv, which does not exist"),
        (replace(WAITING, measure="running_s", of="pdf"), "is of the job type pdf, which does not exist"),
        (replace(WAITING, measure="failure_rate"), "needs a window_s: failure_rate looks back over a span"),
        (replace(WAITING, summary="{queue} waits"), "names {queue} in a sentence: there are detail, subject,"),
        (replace(WAITING, for_s=-1), "has a negative for_s: -1"),
    ],
)
def test_a_rule_that_measures_something_else_than_it_says_is_refused_at_start(rule: Rule, sentence: str) -> None:
    with pytest.raises(SystemExit) as refused:
        refuse_bad_rules([*RULES, rule], job_types={"pdf-ocr", "thumbnails"})
    assert str(refused.value).startswith("settings/alert_rules.py: the alert rule mine ") and sentence in str(
        refused.value
    )
    assert "\n" not in str(refused.value), "no other rule is at fault"


def test_two_rules_of_one_name_are_refused() -> None:
    assert problems([WAITING, WAITING]) == {"mine": "two alert rules are called mine"}


def test_the_declared_rules_are_sound() -> None:
    refuse_bad_rules(job_types=REGISTRY)


def test_every_measure_is_taken_and_stands_in_the_documents() -> None:
    assert all(callable(getattr(Measures, name, None) or getattr(ServerMeasures, name)) for name in MEASURES)
    page = (Path(__file__).parents[2] / "docs" / "monitoring" / "alerts.md").read_text(encoding="utf-8")
    rows = re.findall(r"^\| `(\w+)` \| (.+?) \| (yes|no) \| (.+?) \| (.+?) \|$", page, re.MULTILINE)
    assert rows == [
        (
            name,
            f"one {measure.of}" if measure.of else f"one {measure.one_of}, or none" if measure.one_of else "none",
            "yes" if measure.windowed else "no",
            measure.about,
            measure.words,
        )
        for name, measure in MEASURES.items()
    ]
