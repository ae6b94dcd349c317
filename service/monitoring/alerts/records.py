"""Records of an alert: its present state, its history, and what still has to be sent."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Literal

import msgspec

from service.engine.holds import Hold
from settings.alert_rules import Rule

State = Literal["quiet", "pending", "firing"]
"""Below the threshold; above it, but not for long enough; above it for long enough."""


class NoSuchRule(Exception):
    """The message names what was asked for."""

    def __init__(self, name: str) -> None:
        super().__init__(f"there is no alert rule {name[:80]}")


class AlertStatus(msgspec.Struct):
    """Status of one rule for one subject (a queue, a schedule, or `redis`). Times in ms."""

    rule: str
    subject: str
    state: State = "quiet"
    value: float | None = None
    """The last measurement in the rule's unit; None where there was nothing to measure."""
    detail: str = ""
    """Subject of the measurement, in words: job ids, worker ids, never anything personal."""
    link: str = ""
    """Path of the page to look at, such as /admin/jobs/…"""
    since_ms: int | None = None
    """When the threshold was crossed."""
    fired_ms: int | None = None
    resolved_ms: int | None = None
    """When it last recovered."""
    sent_ms: int | None = msgspec.field(default=None, name="told_ms")
    """When its firing was last sent (or would have been, with no receiver set)."""
    announced: bool = False
    """True where the present firing has been told: only then is its recovery."""

    @property
    def key(self) -> str:
        """Also the pager's dedup key."""
        return f"{self.rule}|{self.subject}"


class HistoryEntry(msgspec.Struct, frozen=True):
    """One event of an alert. `event`: fired, resolved, muted, unmuted; `sent` names the receivers it was queued for."""

    at_ms: int
    rule: str
    subject: str
    event: str
    severity: str
    text: str = msgspec.field(name="said")
    sent: list[str] = []
    by: str = ""


class Message(msgspec.Struct, frozen=True):
    """Something that waits to be sent. Times in ms."""

    id: str
    channel: str
    """slack or pager."""
    body: dict[str, Any]
    words: str
    created_ms: int


class Channel(msgspec.Struct):
    """Status of a receiver. Times in ms."""

    name: str
    tries: int = 0
    """Failed tries in a row."""
    error: str = ""
    """Error of the last try, in one sentence; empty when it went well."""
    again_ms: int = 0
    """When it is tried again."""
    refused: str = ""
    """The last message that it would not take at all, and what it said."""
    waiting: int = 0


@dataclass(slots=True, frozen=True)
class RuleState:
    """A rule with everything it is watching now."""

    rule: Rule
    mute: Hold | None
    statuses: Sequence[AlertStatus]
    """Only subjects that have been measured; firing first."""
    problem: str | None = None
    """Fault, in one sentence: such a rule is never evaluated."""
    on: bool = True
    """False where an operator switched it off."""
    changed_by: str = ""
    """The operator who changed it last; empty where it is as declared."""
    added: bool = False
    """True for a rule that an operator added."""

    @property
    def state(self) -> State:
        """The most serious of its subjects' states."""
        states = {status.state for status in self.statuses}
        return "firing" if "firing" in states else "pending" if "pending" in states else "quiet"
