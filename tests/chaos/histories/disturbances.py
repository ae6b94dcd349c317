"""Disturbances that the attacker made, as far as a rule must know them: from when on a process can have known what the
server knew."""

import math
from collections.abc import Iterator
from dataclasses import dataclass

from tests.chaos.histories.record import EVERYONE, Event, History, Kind

NOTICE_MS = 5_000
"""Milliseconds that a worker may need, beyond a lease, to learn that it has lost a job, on a machine that has two cores for a
fleet. Between two renewals lies a quarter of a lease."""

LAG_MS = 3_000
"""Writes of so long before a failover are on the replica: a primary whose replica lags longer takes none
(`min-replicas-max-lag`, docs/scaling.md)."""

FAILOVER = "failover"

DEATHS = frozenset({"kill", "deploy", "skew", "kill_web", "kill_before_answer", "kill_child"})
"""Blows after which the struck process does nothing more, so that none of its acts can be late."""


@dataclass(frozen=True)
class Interval:
    """A disturbance of one process, or of all (`pid` 0)."""

    begin_ms: float
    end_ms: float
    pid: int
    name: str


class Disturbances:
    """The blows of a history as intervals."""

    def __init__(self, history: History) -> None:
        self.lease_ms = history.campaign.lease_ms
        self.intervals = sorted(_intervals(history), key=lambda one: one.begin_ms)
        self.failovers = [one for one in self.intervals if one.name == FAILOVER]

    def known_by_ms(self, pid: int, at_ms: float) -> float:
        """Moment by which the process must have learned what the server knew at `at_ms`.

        A lease and NOTICE_MS later; and so long after whatever kept it from that: a freeze, a cut, an absence of the server.
        """
        allowed_ms = self.lease_ms + NOTICE_MS
        until_ms = at_ms + allowed_ms
        for one in self.intervals:
            if one.pid in (pid, EVERYONE) and one.name not in DEATHS and one.end_ms > at_ms and one.begin_ms < until_ms:
                until_ms = max(until_ms, one.end_ms + allowed_ms)
        return until_ms

    def taken_back(self, written_ms: float, seen_ms: float) -> bool:
        """True where a failover may have lost what was written at `written_ms`, as seen at `seen_ms`."""
        return any(one.begin_ms - LAG_MS < written_ms < one.end_ms and one.begin_ms < seen_ms for one in self.failovers)


def _intervals(history: History) -> Iterator[Interval]:
    struck: dict[tuple[str, int], list[Event]] = {}
    for event in history.of(Kind.BLOW, Kind.OVER):
        begun = struck.setdefault((event.name, event.pid), [])
        if event.kind is Kind.BLOW:
            begun.append(event)
        elif begun:
            yield Interval(begun.pop(0).at_ms, event.at_ms, event.pid, event.name)
    for (name, pid), left in struck.items():
        # A blow without an end: an attacker who was interrupted, or a process that did not come back.
        yield from (Interval(event.at_ms, math.inf, pid, name) for event in left)
