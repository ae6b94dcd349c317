"""`Trials`: weights tried out on the recorded load of a day, before they are set."""

import asyncio
import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from service.database.owners import Owners
from service.engine.store import Store
from service.engine.store.counters import Counters
from service.engine.store.turn_records import Ended, TurnRecord, ended_turns
from service.monitoring.changes.levels import Levels
from service.monitoring.fairness.replay import Slots, Turn, replay
from service.monitoring.fairness.span import Span

TURNS_MAX = 50_000
"""Turns that one trial replays, the last ones of the day: about a second of work, aside from the loop."""

OWNERS_AT_ONCE = 500


@dataclass(frozen=True)
class Waits:
    """Median and 95th percentile (ms)."""

    p50: float
    p95: float


@dataclass(frozen=True)
class OwnerTrial:
    """Waits of one owner: as they were, replayed with the weight of today, and with the proposed one."""

    owner: str
    turns: int
    weight: float
    proposed: float
    was: Waits
    replayed: Waits
    then: Waits


@dataclass(frozen=True)
class Trial:
    """A day's load with other weights."""

    rows: Sequence[OwnerTrial] = ()
    turns: int = 0
    lacking: int = 0
    """Attempts that began on that day and are not replayed: their records were removed or hold a later attempt, or they are
    more than are replayed at a time."""
    slots_min: int = 0
    slots_max: int = 0


@dataclass
class Trials:
    """Reads the load and replays it, one trial at a time in a process."""

    store: Store
    owners: Owners
    levels: Levels
    turns_max: int = TURNS_MAX
    turn: asyncio.Lock = field(default_factory=asyncio.Lock)

    async def run(self, queue: str, span: Span, proposed: Mapping[str, float]) -> Trial:
        """Replay a day of a queue. Weights that `proposed` does not name stay as they are."""
        async with self.turn:
            turns = await self._turns(queue, span)
            if not turns:
                return Trial(lacking=await self._started(queue, span))
            slots, known = await self._slots(queue, span, turns)
            names = sorted({turn.owner for turn in turns})
            today = await self._weights(names)
            wanted = today | {name: weight for name, weight in proposed.items() if name in today}
            replayed, then = await asyncio.to_thread(
                lambda: (replay(turns, today, slots), replay(turns, wanted, slots))
            )
            began = sum(span.begin_ms <= turn.began_ms < span.begin_ms + span.length_ms for turn in turns)
            rows = _rows(turns, today, wanted, replayed, then)
            lacking = max(0, await self._started(queue, span) - began)
            return Trial(rows, len(turns), lacking, min(known), max(known))

    async def _turns(self, queue: str, span: Span) -> list[Turn]:
        """The last turn of each job that ended on that day and is still recorded, and of its parts."""
        end_ms = span.begin_ms + span.length_ms
        ended = await ended_turns(self.store.redis, queue, span.begin_ms, end_ms, self.turns_max)
        return _turns_of(ended)[-self.turns_max :]

    async def _weights(self, names: Sequence[str]) -> dict[str, float]:
        found: dict[str, float] = {}
        for start in range(0, len(names), OWNERS_AT_ONCE):
            chunk = names[start : start + OWNERS_AT_ONCE]
            rows = await self.owners.rows(chunk)
            found |= {name: self.owners.resolved(rows.get(name)).values.weight for name in chunk}
        return found

    async def _slots(self, queue: str, span: Span, turns: Sequence[Turn]) -> tuple[Slots, Sequence[int]]:
        """Slots by minute as they were measured; where they were not, as many as ran jobs at the busiest time."""
        first, last = span.begin_ms // 60_000, (span.begin_ms + span.length_ms) // 60_000
        measured = {number: level.slots for number, level in (await self.levels.minutes(queue, first, last)).items()}
        most = max(measured.values(), default=0) or busiest(turns)
        known = [slots for slots in measured.values() if slots] or [most]
        return (lambda at_ms: measured.get(int(at_ms // 60_000)) or most), known

    async def _started(self, queue: str, span: Span) -> int:
        """Attempts that began on that day, of jobs and parts."""
        last_minute = (span.begin_ms + span.length_ms) // 60_000
        (row,), late = await Counters(self.store.redis).spans(span.tier, queue, [span.number], last_minute)
        rows = [row, *(one for minute, one in late.items() if minute * 60_000 >= span.begin_ms)]
        return sum(
            int(number) for one in rows for name, number in one.items() if name.startswith((b"started|", b"started/"))
        )


def _turns_of(ended: Ended) -> list[Turn]:
    turns = []
    for job in ended.jobs:
        parts = ended.parts.get(job.id, ())
        # While its parts run, a job holds no slot: its turn is that in which it made them.
        turn_end_ms = min([job.finished_ms, *(part.ready_ms for part in parts)])
        turns.append(_turn(job, job.ready_ms, turn_end_ms))
        turns += [_turn(part, part.ready_ms - turn_end_ms, part.finished_ms) for part in parts]
    return sorted(turns, key=lambda turn: (bool(turn.parent), turn.arrived_ms))


def _turn(record: TurnRecord, arrived_ms: float, ended_ms: float) -> Turn:
    return Turn(
        id=record.id,
        owner=record.owner,
        arrived_ms=arrived_ms,
        ran_ms=max(0.0, ended_ms - record.started_ms),
        cost_ms=record.cost_ms,
        priority=record.priority,
        parent=record.parent,
        waited_ms=max(0.0, record.started_ms - record.ready_ms),
        began_ms=record.started_ms,
    )


def busiest(turns: Sequence[Turn]) -> int:
    """Jobs that ran at the busiest time."""
    changes = []
    for turn in turns:
        changes += [(turn.began_ms, 1), (turn.began_ms + turn.ran_ms, -1)]
    most = running = 0
    for _, change in sorted(changes):
        running += change
        most = max(most, running)
    return max(1, most)


def percentile(values: Sequence[float], share: float) -> float:
    """By nearest rank: a value that occurred."""
    ordered = sorted(values)
    return ordered[max(0, math.ceil(share * len(ordered)) - 1)]


def _rows(
    turns: Sequence[Turn],
    today: Mapping[str, float],
    wanted: Mapping[str, float],
    replayed: Sequence[float],
    then: Sequence[float],
) -> list[OwnerTrial]:
    by_owner: dict[str, list[int]] = {}
    for number, turn in enumerate(turns):
        by_owner.setdefault(turn.owner, []).append(number)

    def waits(values: Sequence[float], numbers: Sequence[int]) -> Waits:
        chosen = [values[number] for number in numbers]
        return Waits(percentile(chosen, 0.5), percentile(chosen, 0.95))

    was = [turn.waited_ms for turn in turns]
    return [
        OwnerTrial(
            owner,
            len(numbers),
            today[owner],
            wanted[owner],
            waits(was, numbers),
            waits(replayed, numbers),
            waits(then, numbers),
        )
        for owner, numbers in sorted(by_owner.items(), key=lambda one: (-len(one[1]), one[0]))
    ]
