"""The form of an alert rule: durations in minutes, shares in percent."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import msgspec

from service.monitoring.alerts.rules import RuleRefused
from settings import Queue
from settings.alert_rules import MEASURES, MINUTE_S, UNENDING, Rule, Severity
from tasks.sdk.types import REGISTRY

LARGEST = UNENDING / 10
"""No figure of a form is larger: a duration without an end is a measurement, not a threshold."""

MINUTES = ("for_s", "window_s", "cool_down_s")


@dataclass(frozen=True)
class Field:
    """A number of the form, as an operator reads it."""

    name: str
    label: str
    value: str
    unit: str = ""
    """The end of the label where it is a measure's unit."""


def fields_of(rule: Rule) -> Sequence[Field]:
    """Numbers of a rule."""
    unit = MEASURES[rule.measure].unit if rule.measure in MEASURES else rule.unit
    found = [
        Field("threshold", f"{rule.direction.capitalize()} how many", number(rule.threshold, unit), unit),
        Field("for_s", "For how many minutes", minutes(rule.for_s)),
        Field("cool_down_s", "Minutes between two messages", minutes(rule.cool_down_s)),
    ]
    if rule.measure in MEASURES and MEASURES[rule.measure].windowed:
        found.append(Field("window_s", "Looks back over how many minutes", minutes(rule.window_s)))
    return found


def number(value: float, unit: str) -> str:
    return f"{value * 100 if unit == '%' else value:.10g}"


def minutes(seconds: float) -> str:
    return f"{seconds / MINUTE_S:.10g}"


def subjects() -> Mapping[str, Sequence[str]]:
    """Names that a rule may be of, by kind."""
    return {"Queues": [str(queue) for queue in Queue], "Job types": sorted(REGISTRY)}


def changed_fields(given: Mapping[str, str], measure: str) -> dict[str, Any]:
    """Fields of a rule from the form. Raises RuleRefused."""
    found: dict[str, Any] = {}
    for name in ("threshold", *MINUTES):
        text = given.get(name, "").strip()
        if text:
            found[name] = _number(name, text) * (MINUTE_S if name in MINUTES else 1)
    if "threshold" in found and measure in MEASURES and MEASURES[measure].unit == "%":
        found["threshold"] /= 100
    for name in ("summary", "recovery", "of"):
        if name in given:
            found[name] = given[name].strip()
    if "severity" in given:
        if given["severity"] not in set(Severity):
            raise RuleRefused("severity", f"A severity is one of {', '.join(Severity)}.")
        found["severity"] = Severity(given["severity"])
    found["pages"] = "pages" in given
    return found


def new_rule(given: Mapping[str, str]) -> Rule:
    """A rule of its own from the form. Raises RuleRefused."""
    measure = given.get("measure", "")
    if measure not in MEASURES:
        raise RuleRefused("measure", f"A measure is one of {', '.join(MEASURES)}.")
    fields = changed_fields(given, measure)
    if "threshold" not in fields:
        raise RuleRefused("threshold", "Give a threshold.")
    direction = given.get("direction", "above")
    if direction not in ("above", "below"):
        raise RuleRefused("direction", "A rule fires above its threshold, or below it.")
    fields = {
        "summary": "{subject}: {value}, " + MEASURES[measure].words.partition(",")[0],
        "recovery": "{subject} is back to {value}",
        "severity": Severity.WARNING,
        **{name: value for name, value in fields.items() if value != ""},
    }
    fields |= {"name": given.get("name", "").strip(), "measure": measure, "unit": MEASURES[measure].unit}
    return msgspec.convert({**fields, "direction": direction}, Rule)


def _number(name: str, text: str) -> float:
    try:
        value = float(text.replace(",", ""))
    except ValueError:
        raise RuleRefused(name, f"{text[:40]} is not a number.") from None
    if not 0 <= value <= LARGEST:
        raise RuleRefused(name, f"{text[:40]} is not a number from 0 to {LARGEST:,.0f}.")
    return value
