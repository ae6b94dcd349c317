"""Records of a schedule and of its runs."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

import msgspec

from service.engine.holds import Hold
from settings.schedules import Schedule

Kind = Literal["slot", "catch-up", "manual"]
"""Reason why a run began: its time came; its time had passed while no process ran; an operator asked for it."""


class NoSuchSchedule(Exception):
    """The message names what was asked for."""

    def __init__(self, name: str) -> None:
        super().__init__(f"there is no schedule {name[:80]}")


class SlotRun(msgspec.Struct):
    """One slot and its outcome.

    `outcome`: a job's state (queued, active, completed, failed, …), or without a job `skipped` (the run before it had not
    ended) or `missed` (no process ran); `gone` where the job was deleted before it had ended. Times in ms.
    """

    id: str
    slot_ms: int
    """The time that the schedule names; for a manual run the time it was asked for."""
    kind: Kind
    at_ms: int
    """When the run was begun, or the slot noted."""
    job: str = ""
    outcome: str = ""
    reason: str = msgspec.field(default="", name="said")
    """Reason why there was no run, in words."""
    by: str = ""
    finished_ms: int | None = None

    @property
    def settled(self) -> bool:
        """True where the outcome is final."""
        return self.outcome in ("completed", "failed", "cancelled", "expired", "skipped", "missed", "gone")


@dataclass(slots=True, frozen=True)
class ScheduleState:
    """A schedule with its present state. `next_ms` is None where it is paused for good or cannot be read."""

    schedule: Schedule
    words: str
    """The expression in plain words, such as "At 08:00 every day"; empty where it cannot be read."""
    problem: str | None
    """Fault of the declaration, in one sentence: such a schedule never runs, and the others do."""
    next_ms: int | None
    pause: Hold | None
    runs: Sequence[SlotRun]
    """Newest first, 60 at most."""

    @property
    def name(self) -> str:
        return self.schedule.name

    @property
    def last(self) -> SlotRun | None:
        """The newest run or noted slot."""
        return self.runs[0] if self.runs else None

    @property
    def missed(self) -> int:
        """Slots that were missed and that no completed run has made up for since."""
        count = 0
        for run in self.runs:
            if run.outcome == "completed":
                break
            count += run.outcome == "missed"
        return count
