"""Replay of recorded arrivals through a queue's fair order: which job begins when, with these weights and so many slots.

`FairOrder` is the order of store/lua (`turn_of` in common.lua, `take` in claim.lua) as a function of times; a test holds the two
equal on random histories.
"""

import heapq
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

HEAD_START_MS = {"high": 600_000, "normal": 0, "low": -600_000}
MAX_LAG_MS = 3_600_000
COST_MIN_MS, SPAN_MAX_MS = 100, 30_000
SCORE_OFFSET_MS = 315_360_000_000
"""As in common.lua, of which the scores of ready jobs are so far in the past: a sum of two is rounded there likewise."""


@dataclass(frozen=True)
class Turn:
    """A job, or a part of one, that waited for a slot and held it. Times in ms."""

    id: str
    owner: str
    arrived_ms: float
    ran_ms: float
    cost_ms: float = 0
    priority: str = "normal"
    parent: str = ""
    """The job that it is a part of: its `arrived_ms` is counted from the end of the parent's turn where that is replayed."""
    waited_ms: float = 0
    """As it was, like `began_ms`: neither has a part in the replay."""
    began_ms: float = 0

    @property
    def flow(self) -> str:
        """Its turns come in the order of this."""
        return f"job:{self.parent}" if self.parent else f"owner:{self.owner}"


class FairOrder:
    """Ready jobs of one queue, in the order in which they are begun."""

    def __init__(self) -> None:
        self._ready: list[tuple[float, str, Turn]] = []
        self._virtual_ms: float | None = None
        self._flows: dict[str, float] = {}
        self._tags: list[tuple[float, str]] = []

    def __len__(self) -> int:
        return len(self._ready)

    def add(self, turn: Turn, weight: float, at_ms: float) -> None:
        """A job becomes ready."""
        tag = max(self._base(at_ms), self._flows.get(turn.flow, float("-inf")))
        span = max(turn.cost_ms, COST_MIN_MS)
        if not turn.parent:
            span = min(span, SPAN_MAX_MS)
        self._flows[turn.flow] = tag + span / weight
        heapq.heappush(self._tags, (self._flows[turn.flow], turn.flow))
        score = tag - SCORE_OFFSET_MS - HEAD_START_MS.get(turn.priority, 0)
        heapq.heappush(self._ready, (score, turn.id, turn))

    def _base(self, at_ms: float) -> float:
        if not self._ready:
            # An idle queue owes no owner anything.
            self._virtual_ms = at_ms
            return at_ms
        return at_ms if self._virtual_ms is None else max(self._virtual_ms, at_ms - MAX_LAG_MS)

    def claim(self, number: int) -> list[Turn]:
        """The jobs that begin next, in one claim."""
        taken: list[Turn] = []
        while self._ready and len(taken) < number:
            score, _, turn = heapq.heappop(self._ready)
            tag = score + SCORE_OFFSET_MS + HEAD_START_MS.get(turn.priority, 0)
            before = tag if self._virtual_ms is None else self._virtual_ms
            self._virtual_ms = max(before, tag) + max(turn.cost_ms, COST_MIN_MS) / 4
            taken.append(turn)
        if taken and self._virtual_ms is not None:
            self._sweep(self._virtual_ms - 1)
            # It is kept with three decimals.
            self._virtual_ms = float(f"{self._virtual_ms:.3f}")
        return taken

    def _sweep(self, through_ms: float) -> None:
        """Forget flows whose next turn is past: they begin where the others are."""
        while self._tags and self._tags[0][0] <= through_ms:
            tag, flow = heapq.heappop(self._tags)
            # An entry of a flow that has moved on since stands further back again.
            if self._flows.get(flow) == tag:
                del self._flows[flow]


Slots = Callable[[float], int]
"""Slots that the queue had at a time (ms)."""

END, ARRIVAL, SLOTS = 0, 1, 2
"""Kinds of events, in their order at one time: a slot that is freed takes what waits before what comes then."""


class Replay:
    """One run over a load."""

    def __init__(self, turns: Sequence[Turn], weights: Mapping[str, float], slots: Slots, step_ms: float) -> None:
        self.turns, self.weights, self.slots, self.step_ms = turns, weights, slots, step_ms
        self.order, self.running, self.waits = FairOrder(), 0, [0.0] * len(turns)
        self.number_of = {turn.id: number for number, turn in enumerate(turns)}
        self.parts: dict[str, list[Turn]] = {}
        self.ready_ms: dict[str, float] = {}
        self.events: list[tuple[float, int, int]] = []
        for number, turn in enumerate(turns):
            if turn.parent in self.number_of:
                self.parts.setdefault(turn.parent, []).append(turn)
            else:
                self.events.append((turn.arrived_ms, ARRIVAL, number))
        heapq.heapify(self.events)

    def run(self) -> list[float]:
        """Wait of each turn."""
        while self.events:
            at_ms, kind, number = heapq.heappop(self.events)
            if kind == END:
                self._end(self.turns[number], at_ms)
            elif kind == ARRIVAL:
                self._arrive(self.turns[number], at_ms)
            for turn in self.order.claim(max(0, self.slots(at_ms) - self.running)):
                self._begin(turn, at_ms)
            if self.order and not self.events:
                # No slot will be freed: it goes on when there are some again.
                heapq.heappush(self.events, (at_ms + self.step_ms, SLOTS, 0))
        return self.waits

    def _end(self, turn: Turn, at_ms: float) -> None:
        self.running -= 1
        for part in self.parts.get(turn.id, ()):
            heapq.heappush(self.events, (at_ms + part.arrived_ms, ARRIVAL, self.number_of[part.id]))

    def _arrive(self, turn: Turn, at_ms: float) -> None:
        self.ready_ms[turn.id] = at_ms
        if not self.order and self.running < self.slots(at_ms):
            # An idle worker has it at once, without a place in the order (dispatch_to_idle.lua).
            self._begin(turn, at_ms)
        else:
            self.order.add(turn, self.weights.get(turn.owner, 1.0), at_ms)

    def _begin(self, turn: Turn, at_ms: float) -> None:
        number = self.number_of[turn.id]
        self.waits[number] = at_ms - self.ready_ms[turn.id]
        self.running += 1
        heapq.heappush(self.events, (at_ms + turn.ran_ms, END, number))


def replay(turns: Sequence[Turn], weights: Mapping[str, float], slots: Slots, step_ms: float = 60_000) -> list[float]:
    """Wait (ms) of each turn, in their order. `weights` by owner; 1 where there is none. Where nothing runs and there is no slot,
    `slots` is read again every `step_ms`."""
    return Replay(turns, weights, slots, step_ms).run()
