"""`Span`: a day (UTC) of the ledger, or an hour of it, as a request names it."""

import re
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta

from service.monitoring.fairness.ledger import Tier
from tasks.sdk.errors import Refused

DAY = re.compile(r"20[0-9]{2}-[0-9]{2}-[0-9]{2}")
HOURS = 24
EPOCH = date(1970, 1, 1)


@dataclass(frozen=True)
class Span:
    """`hour` None: the whole day."""

    day: date
    hour: int | None = None

    @property
    def tier(self) -> Tier:
        """Kind of hash that it is read from."""
        return "day" if self.hour is None else "hour"

    @property
    def number(self) -> int:
        """Number of the day or the hour since the epoch."""
        days = (self.day - EPOCH).days
        return days if self.hour is None else days * HOURS + self.hour

    @property
    def begin_ms(self) -> int:
        """Its beginning, since the epoch."""
        return self.number * (86_400_000 if self.hour is None else 3_600_000)

    @property
    def length_ms(self) -> int:
        """Its whole length."""
        return 86_400_000 if self.hour is None else 3_600_000

    def moved(self, days: int) -> "Span":
        """The same on another day."""
        return Span(self.day + timedelta(days), self.hour)


def read_span(day: str, hour: str, at_ms: int) -> Span:
    """The day of `at_ms` where none is given. Raises Refused (400)."""
    today = datetime.fromtimestamp(at_ms / 1000, UTC).date()
    found = today
    if day:
        try:
            found = date.fromisoformat(day if DAY.fullmatch(day) else "")
        except ValueError:
            raise Refused(f"{day[:40]!r} is not a day: write it as 2026-11-29.", field="day") from None
    if hour and (not hour.isascii() or not hour.isdecimal() or len(hour) > 2 or int(hour) >= HOURS):
        raise Refused(f"{hour[:40]!r} is not an hour: write it as a number from 0 to 23.", field="hour")
    return Span(found, int(hour) if hour else None)
