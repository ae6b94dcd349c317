"""Schedules as data: five fields of cron, a zone, and the job type that is started."""

import hashlib
import re
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from enum import StrEnum
from functools import cached_property
from typing import Any
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from cronsim import CronSim, CronSimError

DATE = re.compile(r"\{date(?:-(\d{1,3}))?\}")
"""`{date}`, or `{date-7}` for the day a week before."""


class Overlap(StrEnum):
    """Behaviour of a slot while the run before it has not ended."""

    SKIP = "skip"
    """It passes, and says so."""
    QUEUE = "queue"
    """It starts all the same."""
    REPLACE = "replace"
    """It starts, and the run before it is cancelled."""


class CatchUp(StrEnum):
    """Behaviour for slots that passed while no process was there to start them."""

    ONCE = "once"
    """However many were missed, one run makes up for them."""
    NEVER = "never"
    """They are only said: the work has no use after its time."""


class BadSchedule(ValueError):
    """A declaration that can never be carried out. The message is one sentence that names it."""


@dataclass(frozen=True)
class Schedule:
    """One recurring job. `payload` is what a client would send to start `job`; `{date}` in it is the slot's date.

    Slots come by `cron` in `zone`, or every `every_s` seconds from `anchor_ms` on. Runs begin up to `jitter_s` seconds after
    their slot; no slot comes after `ends`.
    """

    name: str
    cron: str
    job: str
    payload: dict[str, Any] = field(default_factory=dict)
    zone: str = "UTC"
    overlap: Overlap = Overlap.SKIP
    catch_up: CatchUp = CatchUp.ONCE
    every_s: int | None = None
    anchor_ms: int = 0
    jitter_s: int = 0
    ends: datetime | None = None
    owner: str = ""
    """Owner of the runs' jobs; empty for a declared schedule, whose jobs only operators see."""
    title: str = ""
    """The owner's name for it; empty for a declared one, whose name it bears."""
    callback_url: str = ""
    """Gets a signed POST when a run has ended."""

    @cached_property
    def problem(self) -> str | None:
        """Fault of the declaration, in one sentence. Such a schedule is shown, and never runs."""
        try:
            if not self.every_s:
                self._ticks(datetime(2026, 1, 1, tzinfo=UTC))
        except BadSchedule as error:
            return str(error)
        return None

    @cached_property
    def words(self) -> str:
        """The expression in plain words; empty where there is a problem."""
        if self.every_s:
            if self.every_s % 60:
                return "Every second" if self.every_s == 1 else f"Every {self.every_s} seconds"
            return "Every minute" if self.every_s == 60 else f"Every {self.every_s // 60} minutes"
        return "" if self.problem else self._ticks(datetime(2026, 1, 1, tzinfo=UTC)).explain()

    def slots(self, after: datetime, until: datetime, limit: int) -> list[datetime]:
        """The slots after one moment and up to another, the newest `limit` of them, oldest first, in UTC.

        Right on both days a year when clocks change, as Debian's cron is: a slot at a fixed time that a zone leaves out
        comes at the end of the gap, one that a zone repeats comes once, and an hourly one comes every real hour.
        Raises BadSchedule.
        """
        until = min(until, self.ends) if self.ends else until
        if self.every_s:
            return self._regular(after, until, limit)
        found: list[datetime] = []
        for tick in self._ticks(until.replace(microsecond=0) + timedelta(seconds=1), backwards=True):
            # Two times of one zone compare by their clock faces, which repeat: only in UTC is there a before and after.
            slot = tick.astimezone(UTC)
            if slot <= after or len(found) == limit:
                break
            # Read backwards, a time that was left out may come up twice, or lie ahead.
            if slot <= until and (not found or slot < found[-1]):
                found.append(slot)
        return found[::-1]

    def _regular(self, after: datetime, until: datetime, limit: int) -> list[datetime]:
        """As `slots`, of a schedule by `every_s`."""
        step_ms = (self.every_s or 1) * 1000
        last = (_ms(until) - self.anchor_ms) // step_ms
        first = max((_ms(after) - self.anchor_ms) // step_ms + 1, last - limit + 1, 1)
        return [_moment(self.anchor_ms + n * step_ms) for n in range(first, last + 1)]

    def next_after(self, moment: datetime) -> datetime | None:
        """The first slot after a moment, in UTC; None where it has ended by then. Raises BadSchedule."""
        if self.every_s:
            step_ms = self.every_s * 1000
            slot = _moment(self.anchor_ms + max(1, (_ms(moment) - self.anchor_ms) // step_ms + 1) * step_ms)
        else:
            slot = next(slot for tick in self._ticks(moment) if (slot := tick.astimezone(UTC)) > moment)
        return None if self.ends and slot > self.ends else slot

    def next_slots(self, moment: datetime, count: int) -> list[datetime]:
        """The first `count` slots after a moment, fewer where it ends before."""
        slots: list[datetime] = []
        while len(slots) < count and (slot := self.next_after(slots[-1] if slots else moment)):
            slots.append(slot)
        return slots

    def delay_s(self, slot: datetime) -> float:
        """Seconds after a slot at which its run begins: the same each time one asks, spread evenly up to `jitter_s`."""
        if not self.jitter_s:
            return 0.0
        digest = hashlib.sha256(f"{self.name} {_ms(slot)}".encode()).digest()
        return int.from_bytes(digest[:4], "big") / 2**32 * self.jitter_s

    def payload_at(self, slot: datetime) -> dict[str, Any]:
        """The payload of the slot's run. `{date}` is the slot's day in its zone, `{date-1}` the day before."""
        day = slot.astimezone(ZoneInfo(self.zone)).date()

        def moved(found: re.Match[str]) -> str:
            return (day - timedelta(days=int(found[1] or 0))).isoformat()

        return {key: DATE.sub(moved, value) if isinstance(value, str) else value for key, value in self.payload.items()}

    def _ticks(self, start: datetime, *, backwards: bool = False) -> CronSim:
        try:
            zone = ZoneInfo(self.zone)
        except (ZoneInfoNotFoundError, ValueError, OSError):
            raise BadSchedule(f"the schedule {self.name} names no known time zone: {self.zone!r}") from None
        # CronSim treats its own UTC alone as a zone whose clock never changes.
        zone_or_utc = UTC if self.zone == "UTC" else zone
        try:
            ticks = CronSim(self.cron, start.astimezone(zone_or_utc), reverse=backwards)
        except CronSimError as error:
            raise BadSchedule(f"the schedule {self.name} is not a cron expression, {self.cron!r}: {error}") from None
        if len(self.cron.split()) != 5:
            raise BadSchedule(f"the schedule {self.name} is not a cron expression of five fields: {self.cron!r}")
        return ticks


def _ms(moment: datetime) -> int:
    return int(moment.timestamp() * 1000)


def _moment(ms: int) -> datetime:
    return datetime.fromtimestamp(ms / 1000, UTC)


SCHEDULES: list[Schedule] = [
    # Eight in the morning: before the working day, after the night's maintenance. Yesterday's digest is of no use at noon
    # the day after, but one missed at eight is welcome at nine.
    Schedule("daily-digest", "0 8 * * *", "daily-digest", {"day": "{date}"}),
    # Monday at six, so that the figures of the whole past week are in them.
    Schedule("weekly-analytics", "0 6 * * 1", "weekly-analytics", {"monday": "{date}"}),
    Schedule("weekly-report", "0 6 * * 1", "weekly-report", {"monday": "{date}"}),
    # Monthly: a temp file has had at least its own days of grace by then.
    Schedule("expired-temp-files", "0 0 1 * *", "delete-expired-files"),
    # Two at night, when OCR leaves the cores alone.
    Schedule("missing-thumbnails", "0 2 * * *", "thumbnails-maintenance"),
    # Hourly: an upload broken off half way should not hold disk for a day. The next hour is catch-up enough.
    Schedule("temporary-uploads", "0 * * * *", "sweep-uploads", catch_up=CatchUp.NEVER),
]
