"""Alert rules as data, and the measures that a rule may name. service/monitoring/alerts/measures.py takes each measure."""

from dataclasses import dataclass
from enum import StrEnum
from typing import Literal

MINUTE_S = 60
HOUR_S = 3_600

UNENDING = 1e9
"""A duration without an end, as a measurement: JSON has no infinity."""

Direction = Literal["above", "below"]


class Severity(StrEnum):
    """Severity in the pager's words."""

    CRITICAL = "critical"
    """Work has stopped or may be lost: the on-call is woken."""
    ERROR = "error"
    """Work fails."""
    WARNING = "warning"
    """Work is late."""


@dataclass(frozen=True)
class Rule:
    """Fires when `measure` has been `direction` `threshold` for `for_s` seconds.

    `window_s` is the span a measure looks back over, 0 for one that looks at the present. Nothing more is told of the
    same rule and subject for `cool_down_s` after its firing was told. `summary` may name {subject}, {value}, {threshold}
    and {detail}; `recovery` likewise. `pages` wakes the on-call by the pager, in addition to Slack.
    """

    name: str
    measure: str
    threshold: float
    summary: str
    recovery: str
    severity: Severity
    unit: str = ""
    of: str = ""
    """The queue, job type or owner that it is about. A measure of a single one needs it; of a measure of every queue, or of
    every schedule, it takes the one that it names."""
    direction: Direction = "above"
    window_s: float = 0
    for_s: float = 0
    cool_down_s: float = 30 * MINUTE_S
    pages: bool = False

    def broken_by(self, value: float | None) -> bool:
        """True where a measurement is beyond the threshold; None, nothing to measure, never is."""
        if value is None:
            return False
        return value > self.threshold if self.direction == "above" else value < self.threshold

    def shown(self, value: float | None) -> str:
        """A value in the rule's unit, such as "12 %" or "140 jobs"."""
        if value is None:
            return "nothing"
        if value >= UNENDING:
            return "no end in sight"
        number = value * 100 if self.unit == "%" else value
        figure = f"{number:,.1f}".removesuffix(".0")
        return f"{figure} {of_one(self.unit) if figure == '1' else self.unit}".rstrip()


def of_one(unit: str) -> str:
    """A unit after the number 1: job for jobs, message a minute for messages a minute."""
    noun, blank, rest = unit.partition(" ")
    return (noun[:-1] if noun.endswith("s") and len(noun) > 1 else noun) + blank + rest


@dataclass(frozen=True)
class Measure:
    """A measure: the subjects that it is `about`, in words; the single `of` that a rule must name, None where it takes
    every subject; whether it is `windowed`: measured over the rule's window; the `unit` of its values; the `one_of` its
    subjects that a rule may name to be about it alone.
    """

    words: str
    about: str
    of: Literal["queue", "job type", "owner"] | None = None
    windowed: bool = False
    unit: str = ""
    one_of: Literal["queue", "schedule"] | None = None


MEASURES: dict[str, Measure] = {
    "waiting_jobs": Measure(
        "jobs that are queued or wait for their next try", "every queue", unit="jobs", one_of="queue"
    ),
    "failure_rate": Measure(
        "share of the ended jobs that failed, 0 to 1", "every queue", windowed=True, unit="%", one_of="queue"
    ),
    "worker_silent_s": Measure(
        "seconds since an unreplaced worker last reported", "every queue", unit="s", one_of="queue"
    ),
    "redis_memory_share": Measure("used share of the queue server's memory, 0 to 1", "the queue server", unit="%"),
    "unsafe_settings": Measure(
        "settings of the queue server under which jobs may be lost", "the queue server", unit="settings"
    ),
    "evicted_keys": Measure(
        "keys that the queue server has thrown away since it started", "the queue server", unit="keys"
    ),
    "queue_servers_away": Measure(
        "1 where a queue's own server does not answer, 0 where it does", "every own server of a queue", unit="servers"
    ),
    "held_s": Measure(
        "seconds for which a missing part, or its failing jobs, have held a queue", "every queue", unit="s", one_of="queue"
    ),
    "service_paused_s": Measure(
        "seconds since a service was paused as its uses fail in a row", "every external service", unit="s"
    ),
    "running_s": Measure(
        "seconds that the slowest running job's attempt has taken", "one job type", "job type", unit="s"
    ),
    "running_s_per_unit": Measure("the same, divided by the job's units", "one job type", "job type", unit="s"),
    "messages_per_minute": Measure(
        "messages offered to the mail server a minute", "one queue", "queue", windowed=True, unit="messages a minute"
    ),
    "timeouts": Measure("attempts that ran out of time", "one queue", "queue", windowed=True, unit="timeouts"),
    "minutes_to_drain": Measure(
        "minutes until what waits is done, at the pace of the window", "every queue", windowed=True, unit="minutes",
        one_of="queue",
    ),
    "mail_server_away_s": Measure("seconds since the mail server has taken no message", "the mail server", unit="s"),
    "doubtful_pages": Measure(
        "share of the pages read that a person should look at, 0 to 1", "one queue", "queue", windowed=True, unit="%"
    ),
    "disabled_webhooks": Measure(
        "webhooks that were disabled because nothing could be delivered", "all webhooks", unit="webhooks"
    ),
    "infected_documents": Measure(
        "documents in which malware was found", "all documents", windowed=True, unit="documents"
    ),
    "scanner_away_s": Measure(
        "seconds since the malware scanner has given a verdict", "the malware scanner", unit="s"
    ),
    "missed_slots": Measure(
        "slots missed since the last completed run", "every schedule", unit="slots", one_of="schedule"
    ),
    "owner_waiting_jobs": Measure("jobs of one owner that are queued", "one owner", "owner", unit="jobs"),
    "owner_failed_jobs": Measure(
        "jobs of one owner that failed and were neither retried nor deleted", "one owner", "owner", unit="jobs"
    ),
}  # fmt: skip
"""The measures by the name that a rule gives. docs/monitoring/alerts.md shows them as a table."""

RULES: list[Rule] = [
    # A hundred waiting jobs are a lot for people and little for machines: ten minutes tell a wave from a flood.
    Rule(
        "queue-backlog", "waiting_jobs", 100, "{value} wait in {subject}", "{subject} has caught up: {value} wait",
        Severity.WARNING, unit="jobs", for_s=10 * MINUTE_S,
    ),
    # Below twenty jobs an hour one dead letter is already above: it waits for an operator's decision all the same.
    Rule(
        "failure-rate", "failure_rate", 0.05, "{value} of the jobs of {subject} failed within the last hour",
        "{subject} is back to {value} failed within the last hour", Severity.ERROR, unit="%", window_s=HOUR_S,
    ),
    # Its jobs were given to others within seconds; five minutes say that no other has replaced it.
    Rule(
        "worker-silent", "worker_silent_s", 5 * MINUTE_S, "a worker of {subject} has been silent for {value}: {detail}",
        "no worker of {subject} is silent any more", Severity.CRITICAL, unit="s", pages=True,
    ),
    # At the whole of maxmemory new jobs are refused.
    Rule(
        "redis-memory", "redis_memory_share", 0.80, "{subject} uses {value} of its memory: {detail}",
        "{subject} is back to {value} of its memory", Severity.CRITICAL, unit="%", pages=True,
    ),
    # Nothing is lost yet: it can be fixed in working hours.
    Rule(
        "queue-server-unsafe", "unsafe_settings", 0, "the queue server may lose jobs: {detail}",
        "the queue server's settings keep every job", Severity.ERROR, unit="settings",
    ),
    # Jobs are gone. `CONFIG RESETSTAT`, or a restart, ends it.
    Rule(
        "evictions", "evicted_keys", 0, "the queue server has thrown {value} away for want of memory: {detail}",
        "the queue server throws nothing away", Severity.CRITICAL, unit="keys", pages=True,
    ),
    # A restart or a failover takes less. Where the main server is away, the alert `not-ready` says so.
    Rule(
        "queue-server-away", "queue_servers_away", 0, "{subject} does not answer: {detail}", "{subject} answers again",
        Severity.CRITICAL, unit="servers", for_s=MINUTE_S, pages=True,
    ),
    # A restart of the database takes less.
    Rule(
        "queue-held", "held_s", MINUTE_S, "{subject} stands still for {value}: {detail}", "{subject} goes on",
        Severity.CRITICAL, unit="s", pages=True,
    ),
    # A restart of the service takes less. Its jobs wait and spend no tries.
    Rule(
        "service-paused", "service_paused_s", MINUTE_S, "the service {subject} is paused for {value}: {detail}",
        "the service {subject} is open again", Severity.ERROR, unit="s",
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
    # A wrong password or a refused sender stops every campaign, however short: nothing goes out until an operator acts.
    Rule(
        "mail-server-away", "mail_server_away_s", 30, "no message has gone out for {value}: {detail}",
        "the {subject} takes messages again", Severity.ERROR, unit="s",
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
    # Poor scans come in every batch; every third page is a scanner out of order or a wrong language.
    Rule(
        "doubtful-pages", "doubtful_pages", 0.30,
        "{value} of the pages of {subject} were read doubtfully within the last hour: {detail}",
        "{subject} is back to {value} of pages read doubtfully", Severity.WARNING, unit="%", of="pdf-processing", window_s=HOUR_S,
    ),
    # Its owner, who may not look here, has to be told. Enabling or deleting it ends the alert.
    Rule(
        "webhook-disabled", "disabled_webhooks", 0, "{value} disabled after failing for days: {detail}",
        "no webhook is disabled any more", Severity.WARNING, unit="webhooks",
    ),
    # It is in quarantine and does no harm; that one came is for people to know.
    Rule(
        "malware-found", "infected_documents", 0, "malware was found in {value} within the last hour: {detail}",
        "no malware was found within the last hour", Severity.ERROR, unit="documents", window_s=HOUR_S,
    ),
    # clamd loads its signatures again for a minute when there are new ones.
    Rule(
        "scanner-away", "scanner_away_s", 3 * MINUTE_S, "the {subject} has given no verdict for {value}: {detail}",
        "the {subject} gives verdicts again", Severity.ERROR, unit="s",
    ),
    # One run on time, or one that made up for the missed, and it is over.
    Rule(
        "missed-schedule", "missed_slots", 0, "the schedule {subject} missed {value}: {detail}",
        "the schedule {subject} has run again", Severity.ERROR, unit="slots",
    ),
]  # fmt: skip
