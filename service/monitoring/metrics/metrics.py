"""`Metrics`: reads what the store's scripts count, and folds minutes into hours, days and totals."""

import contextlib
from collections.abc import Iterable, Mapping, Sequence
from datetime import UTC, date, datetime, timedelta
from itertools import pairwise

from service.engine.redis.away import QueueServerAway
from service.engine.redis.client import Client
from service.engine.store.counters import Counters, Tier
from service.lib.clock import now_ms
from service.monitoring.metrics.figures import Figures, Span, WeekReport
from service.monitoring.metrics.weekly import queue_week
from settings.queues import Queue

TIER_MINUTES: Mapping[Tier, int] = {"minute": 1, "hour": 60, "day": 1440}


class Metrics:
    """Figures of every queue and job type."""

    def __init__(self, redis: Client) -> None:
        self.counters = Counters(redis)

    @property
    def queues(self) -> tuple[str, ...]:
        """Names of all queues."""
        return tuple(str(queue) for queue in Queue)

    async def fold(self) -> None:
        """Add the minutes that are over to their hours, days and totals. A duty of maintenance."""
        for queue in Queue:
            # What a server that is away has counted is folded once it is back.
            with contextlib.suppress(QueueServerAway):
                await self.counters.fold(str(queue))

    async def spans(self, tier: Tier, queue: str, count: int) -> list[Span]:
        """The last `count` spans of a queue, oldest first; the last is the present one, so far."""
        present = now_ms() // 60_000 // TIER_MINUTES[tier]
        return await self._spans(tier, queue, range(present - count + 1, present + 1))

    async def between(self, tier: Tier, queue: str, numbers: range) -> list[Span]:
        """Spans of a queue by their numbers (minutes, hours or days since the epoch), empty where nothing was counted."""
        return await self._spans(tier, queue, numbers)

    async def days(self, queue: str, first: date, count: int) -> list[Span]:
        """`count` days (UTC) of a queue from `first` on. Those that are to come, or forgotten, hold nothing."""
        number = (first - date(1970, 1, 1)).days
        return await self._spans("day", queue, range(number, number + count))

    async def _spans(self, tier: Tier, queue: str, numbers: range) -> list[Span]:
        size, now = TIER_MINUTES[tier], now_ms() // 60_000
        rows, unfolded = await self.counters.spans(tier, queue, numbers, now)
        late: dict[int, list[dict[bytes, bytes]]] = {}
        for minute, counts in unfolded.items():
            late.setdefault(minute // size, []).append(counts)
        return [
            _span(number * size * 60_000, [row, *late.get(number, [])])
            for number, row in zip(numbers, rows, strict=True)
        ]

    async def window(self, queue: str, seconds: float) -> Span:
        """Everything of the last so many seconds, to the minute: the present minute counts as a whole one."""
        minutes = max(1, round(seconds / 60))
        spans = await self.spans("minute", queue, minutes)
        return _merged(spans)

    async def total(self, queue: str) -> Span:
        """Everything ever counted: figures that only rise, whatever expires."""
        row, unfolded = await self.counters.total(queue, now_ms() // 60_000)
        return _span(0, [row, *unfolded.values()])

    async def week(self, first_day: date | None = None) -> WeekReport:
        """The report of the week that begins on the Monday `first_day`; default: the last whole week (UTC)."""
        (report,) = await self._reports(first_day or last_monday(), 1)
        return report

    async def weeks(self, count: int) -> list[WeekReport]:
        """The last `count` whole weeks, newest first; without the oldest of them in which nothing was counted."""
        reports = await self._reports(last_monday(), count)
        while len(reports) > 1 and not any(line.jobs or line.messages for line in reports[-1].queues):
            reports.pop()
        return reports

    async def _reports(self, last: date, count: int) -> list[WeekReport]:
        """The reports of `count` weeks, newest first: the newest begins on the Monday `last`."""
        mondays = [last - timedelta(days=7 * back) for back in range(count + 1)]
        lines = []
        for queue in Queue:
            days = await self.days(queue, mondays[-1], 7 * len(mondays))
            weeks = [_merged(days[start : start + 7]) for start in range(0, len(days), 7)]
            lines.append([queue_week(queue, week) for week in reversed(weeks)])
        # The week before each is the next in the list; the oldest is there only to be compared with.
        by_week = [list(week) for week in zip(*lines, strict=True)]
        return [
            WeekReport(monday.isoformat(), (monday + timedelta(days=6)).isoformat(), now, before)
            for monday, (now, before) in zip(mondays[:-1], pairwise(by_week), strict=True)
        ]


def last_monday() -> date:
    """When the last whole week (UTC) began."""
    today = datetime.now(UTC).date()
    return today - timedelta(days=today.weekday() + 7)


def _span(start_ms: int, rows: Iterable[Mapping[bytes, bytes]]) -> Span:
    total, types, part_types = Figures(), dict[str, Figures](), set[str]()
    for row in rows:
        for field, number in row.items():
            event, _, part_type = field.decode().partition("/")
            event, _, job_type = event.partition("|")
            if part_type:
                part_types.add(part_type)
            else:
                _count(total, event, int(number))
            if name := part_type or job_type:
                _count(types.setdefault(name, Figures()), event, int(number))
    return Span(start_ms, total, types, frozenset(part_types))


def _count(figures: Figures, event: str, number: int) -> None:
    if event[0] in "wr" and event[1:].isdigit():
        buckets = figures.waits if event[0] == "w" else figures.runs
        buckets[int(event[1:])] = buckets.get(int(event[1:]), 0) + number
    else:
        figures.counts[event] = figures.counts.get(event, 0) + number


def _merged(spans: Sequence[Span]) -> Span:
    total, types = Figures(), dict[str, Figures]()
    for span in spans:
        total.add(span.total)
        for name, figures in span.types.items():
            types.setdefault(name, Figures()).add(figures)
    part_types = frozenset[str]().union(*(span.part_types for span in spans))
    return Span(spans[0].start_ms if spans else 0, total, types, part_types)
