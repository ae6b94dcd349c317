"""`Period`: the range of a report in its time zone, and the equal steps that its charts count by."""

import re
from bisect import bisect_right
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from functools import cached_property
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from tasks.sdk import Refused

DAYS_MAX = 3_660
"""Ten years: more than is kept of anything, and still only 120 columns of months in a chart."""

HOURS_UP_TO = timedelta(days=2, hours=2)
"""Two days and the hour that a change of clocks may add: longer ranges are counted by days."""

DAYS_UP_TO = timedelta(days=93)
WEEKS_UP_TO = timedelta(days=740)

DAY = re.compile(r"\d{4}-\d{2}-\d{2}")


@dataclass(frozen=True)
class Period:
    """Moments in UTC from `start` up to, and without, `end`, as they are read in `zone`."""

    start: datetime
    end: datetime
    zone: str

    @cached_property
    def clock(self) -> ZoneInfo:
        """The zone's rules."""
        return ZoneInfo(self.zone)

    def local(self, moment: datetime) -> datetime:
        """A moment by the zone's clock."""
        return moment.astimezone(self.clock)

    @cached_property
    def step(self) -> str:
        """Length of a chart's column: hour, day, week or month."""
        length = self.end - self.start
        for longest, name in ((HOURS_UP_TO, "hour"), (DAYS_UP_TO, "day"), (WEEKS_UP_TO, "week")):
            if length <= longest:
                return name
        return "month"

    @cached_property
    def columns(self) -> tuple[datetime, ...]:
        """Beginnings of the steps, in UTC; the first may lie before `start`."""
        if self.step == "hour":
            first = self.start.replace(minute=0, second=0, microsecond=0)
            count = -(-(self.end - first) // timedelta(hours=1))
            return tuple(first + timedelta(hours=number) for number in range(count))
        day, found = self._first_day(), []
        while (begins := _midnight(day, self.clock)) < self.end:
            found.append(begins)
            day = _next(day, self.step)
        return tuple(found)

    def _first_day(self) -> date:
        day = self.local(self.start).date()
        if self.step == "week":
            return day - timedelta(days=day.weekday())
        return day.replace(day=1) if self.step == "month" else day

    def column_of(self, moment: datetime) -> int:
        """Number of the step that a moment of the range falls into, from 0."""
        return bisect_right(self.columns, moment) - 1

    def column_label(self, number: int) -> str:
        """A step in a few letters, such as 09:00, 3 Mar or Mar 2026."""
        begins = self.local(self.columns[number])
        if self.step == "hour":
            return f"{begins:%H:%M}"
        return f"{begins:%b %Y}" if self.step == "month" else f"{begins.day} {begins:%b}"

    @property
    def words(self) -> str:
        """The range as a title says it: whole days as days, anything else with its times."""
        start, last = self.local(self.start), self.local(self.end)
        if start.time() == time.min and last.time() == time.min:
            first_day, last_day = start.date(), (last - timedelta(days=1)).date()
            return _day(first_day) if first_day == last_day else f"{_day(first_day)} to {_day(last_day)}"
        return f"{_day(start.date())}, {start:%H:%M} to {_day(last.date())}, {last:%H:%M}"


def read_period(start: str, end: str, zone: str) -> Period:
    """The period of a request: days, of which both are included, or moments with their offset. Raises Refused."""
    try:
        clock = ZoneInfo(zone)
    except (ZoneInfoNotFoundError, ValueError, OSError):
        raise Refused(
            f"{zone[:80]!r} is not a known time zone: write one such as Europe/Paris.", field="zone"
        ) from None
    first = _bound(start, clock, "from", last=False)
    until = _bound(end, clock, "to", last=True)
    # Both days are included, so one that ends the day before it starts would else pass for an empty range.
    reversed_days = DAY.fullmatch(start) and DAY.fullmatch(end) and end < start
    if until == first and not reversed_days:
        raise Refused(f"The range is empty: it ends where it starts ({start}).", field="to")
    if until <= first:
        raise Refused(f"The range ends ({end}) before it starts ({start}).", field="to")
    if until - first > timedelta(days=DAYS_MAX):
        days = (until - first).days
        raise Refused(f"The range has {days:,} days; {DAYS_MAX:,} are the limit of a report.", field="to")
    return Period(first, until, zone)


def _bound(given: str, clock: ZoneInfo, field: str, *, last: bool) -> datetime:
    try:
        if DAY.fullmatch(given):
            day = date.fromisoformat(given)
            return _midnight(day + timedelta(days=1) if last else day, clock)
        moment = datetime.fromisoformat(given)
        if moment.tzinfo is not None:
            return moment.astimezone(UTC)
    except (ValueError, OverflowError):
        pass
    raise Refused(
        f"{field} takes a day (2026-01-31) or a time with its offset (2026-01-31T08:00:00Z), not {given[:60]!r}.",
        field=field,
    )


def _midnight(day: date, clock: ZoneInfo) -> datetime:
    """The first moment of a day in a zone, in UTC."""
    return datetime.combine(day, time.min, clock).astimezone(UTC)


def _next(day: date, step: str) -> date:
    if step == "month":
        return (day + timedelta(days=32)).replace(day=1)
    return day + timedelta(days=7 if step == "week" else 1)


def _day(day: date) -> str:
    return f"{day.day} {day:%B %Y}"
