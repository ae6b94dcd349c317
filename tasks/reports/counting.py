"""Counting over any number of rows, in memory that does not grow with them."""

import heapq
from array import array
from collections import Counter
from collections.abc import Hashable, Sequence
from datetime import datetime
from itertools import count
from typing import Any

KEYS_MAX = 10_000
"""Different keys counted apart: those that come later are counted together, as `REST`."""

REST = "all others"

NEWEST_MAX = 300
"""Rows that a report lists one by one: some ten pages, and 200 MB of a child that may have 256. Sums are over all rows."""

SAMPLES_MAX = 1_000_000
"""Durations of which a median is taken, of four bytes each."""


class Sums:
    """Several counts for each of many keys, such as jobs and failures of each type."""

    def __init__(self) -> None:
        self._by_key: dict[Hashable, Counter[str]] = {}

    def add(self, key: Hashable, **amounts: float) -> None:
        """Add to the counts of a key."""
        if key not in self._by_key and len(self._by_key) >= KEYS_MAX:
            key = REST
        counts = self._by_key.setdefault(key, Counter())
        for name, amount in amounts.items():
            counts[name] += amount  # type: ignore[assignment]  # a Counter adds what numbers add

    def ranked(self, name: str, most: int) -> list[tuple[Any, Counter[str]]]:
        """The keys with the largest counts of `name`, then those after `most` as one, whose key is REST."""
        ranked = sorted(self._by_key.items(), key=lambda one: (one[0] == REST, -one[1][name], str(one[0])))
        shown, rest = ranked[:most], ranked[most:]
        if rest:
            shown.append((REST, sum((counts for _, counts in rest), Counter())))
        return shown

    def __len__(self) -> int:
        return len(self._by_key)


class Newest:
    """The rows with the latest moments, at most NEWEST_MAX."""

    def __init__(self) -> None:
        self._heap: list[tuple[datetime, int, Sequence[Any]]] = []
        self._numbers = count()
        self.seen = 0

    def add(self, at: datetime, row: Sequence[Any]) -> None:
        """Keep the row while it is among the newest."""
        self.seen += 1
        entry = (at, next(self._numbers), row)
        if len(self._heap) < NEWEST_MAX:
            heapq.heappush(self._heap, entry)
        else:
            heapq.heappushpop(self._heap, entry)

    def rows(self) -> list[Sequence[Any]]:
        """The rows, newest first."""
        return [row for _, _, row in sorted(self._heap, reverse=True)]


class Durations:
    """Durations in seconds."""

    def __init__(self) -> None:
        self._seconds = array("f")

    def add(self, seconds: float) -> None:
        """Note one; those beyond SAMPLES_MAX change nothing any more."""
        if len(self._seconds) < SAMPLES_MAX:
            self._seconds.append(seconds)

    def at(self, part: float) -> float | None:
        """The duration that `part` (0.5, 0.95) of all do not exceed; None of none."""
        if not self._seconds:
            return None
        ordered = sorted(self._seconds)
        return ordered[min(len(ordered) - 1, int(part * len(ordered)))]
