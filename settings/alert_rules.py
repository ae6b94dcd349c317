"""What is worth telling somebody, as data. service/monitoring/alerts/measures.py says how each measure is taken."""

from dataclasses import dataclass
from enum import StrEnum
from typing import Literal

MINUTE_S = 60
HOUR_S = 3_600

Direction = Literal["above", "below"]


class Severity(StrEnum):
    """How bad it is, in the pager's words."""

    CRITICAL = "critical"
    """Work stands still or may be lost: somebody is woken."""
    ERROR = "error"
    """Work fails."""
    WARNING = "warning"
    """Work is late."""


@dataclass(frozen=True)
class Rule:
    """Fires when `measure` has been `direction` `threshold` for `for_s` seconds.

    `window_s` is the span a measure looks back over, 0 for one that looks at the present. Nothing more is told of the
    same rule and subject for `cool_down_s` after its firing was told. `summary` may name {subject}, {value}, {threshold}
    and {detail}; `recovery` likewise. `pages` wakes the on-call by the pager, beside Slack.
    """

    name: str
    measure: str
    threshold: float
    summary: str
    recovery: str
    severity: Severity
    unit: str = ""
    of: str = ""
    """The queue or job type that it is about, where that is a single one."""
    direction: Direction = "above"
    window_s: float = 0
    for_s: float = 0
    cool_down_s: float = 30 * MINUTE_S
    pages: bool = False

    def broken_by(self, value: float | None) -> bool:
        """Whether a measurement is beyond the threshold; None, nothing to measure, never is."""
        if value is None:
            return False
        return value > self.threshold if self.direction == "above" else value < self.threshold

    def shown(self, value: float | None) -> str:
        """A value in the rule's unit, such as "12 %" or "140 jobs"."""
        if value is None:
            return "nothing"
        number = value * 100 if self.unit == "%" else value
        return f"{number:,.1f}".removesuffix(".0") + (f" {self.unit}" if self.unit else "")


RULES: tuple[Rule, ...] = (
    # A hundred waiting jobs are a lot for people and little for machines: ten minutes tell a wave from a flood.
    Rule(
        "queue-backlog", "waiting_jobs", 100, "{value} wait in {subject}", "{subject} has caught up: {value} wait",
        Severity.WARNING, unit="jobs", for_s=10 * MINUTE_S,
    ),
    # Below twenty jobs an hour one dead letter is already above: it waits for somebody's decision all the same.
    Rule(
        "failure-rate", "failure_rate", 0.05, "{value} of the jobs of {subject} failed within the last hour",
        "{subject} is back to {value} failed within the last hour", Severity.ERROR, unit="%", window_s=HOUR_S,
    ),
    # Its jobs were given to others within seconds; five minutes say that nobody has replaced it.
    Rule(
        "worker-silent", "worker_silent_s", 5 * MINUTE_S, "a worker of {subject} has been silent for {value}: {detail}",
        "no worker of {subject} is silent any more", Severity.CRITICAL, unit="s", pages=True,
    ),
    # At the whole of maxmemory new jobs are refused.
    Rule(
        "redis-memory", "redis_memory_share", 0.80, "{subject} uses {value} of its memory: {detail}",
        "{subject} is back to {value} of its memory", Severity.CRITICAL, unit="%", pages=True,
    ),
    Rule(
        "slow-pdf", "running_s", 10 * MINUTE_S, "a PDF has been worked on for {value}: {detail}",
        "no PDF takes over {threshold} any more", Severity.WARNING, unit="s", of="pdf-ocr",
    ),
    # Eighty of the hundred a minute that are allowed. A minute may be slow; three in a row are the mail server.
    Rule(
        "slow-email", "messages_per_minute", 80, "only {value} go out while {detail}", "messages go out as they should",
        Severity.WARNING, unit="messages a minute", of="email-sender", direction="below", window_s=3 * MINUTE_S, for_s=2 * MINUTE_S,
    ),
    Rule(
        "export-timeout", "timeouts", 0, "{value} in {subject} within the last hour",
        "nothing in {subject} timed out within the last hour", Severity.ERROR, unit="timeouts", of="csv-export", window_s=HOUR_S,
    ),
    Rule(
        "slow-thumbnails", "running_s_per_unit", 2 * MINUTE_S, "thumbnails take {value} a document: {detail}",
        "no thumbnails take over {threshold} a document any more", Severity.WARNING, unit="s", of="thumbnails",
    ),
    # More than a day's work waits at the pace of the last quarter of an hour, and more comes than goes.
    Rule(
        "will-not-drain", "minutes_to_drain", 24 * 60, "{subject} will not drain: {detail}", "{subject} drains again",
        Severity.ERROR, unit="minutes", window_s=15 * MINUTE_S, for_s=15 * MINUTE_S,
    ),
    # One run on time, or one that made up for the missed, and it is over.
    Rule(
        "missed-schedule", "missed_slots", 0, "the schedule {subject} missed {value}: {detail}",
        "the schedule {subject} has run again", Severity.ERROR, unit="slots",
    ),
)  # fmt: skip


def problems(rules: tuple[Rule, ...]) -> dict[str, str]:
    """What is wrong with a rule, by its name, in one sentence. Such a rule is shown and never evaluated."""
    found: dict[str, str] = {}
    for rule in rules:
        for field in ("window_s", "for_s", "cool_down_s", "threshold"):
            if getattr(rule, field) < 0:
                found[rule.name] = f"the alert rule {rule.name} has a negative {field}: {getattr(rule, field):g}"
    return found
