"""`Counters`: events counted by minute, folded into hours, days and a total. Rows are as the scripts write them (keys.metrics)."""

from collections.abc import Mapping, Sequence
from typing import Literal

from service.engine.redis.away import or_else
from service.engine.redis.client import Client
from service.engine.redis.places import of_queue
from service.engine.store import keys
from service.engine.store.scripts import COUNT, READ_COUNTS, ROLLUP

Tier = Literal["minute", "hour", "day"]
Row = dict[bytes, bytes]

KEYS = {"minute": keys.metrics, "hour": keys.metrics_hour, "day": keys.metrics_day}

FOLD_MINUTES = 240
"""Minutes one call folds: some milliseconds of the server's time."""

EVENTS = (
    "enqueued",
    "started",
    "completed",
    "failed",
    "cancelled",
    "expired",
    "retried",
    "requeued",
    "crashed",
    "timeout",
)
"""Events of jobs. `units` (pages, rows or messages of completed jobs), `run_ms` and `wait_ms` are sums."""


class Counters:
    """Adds, folds and reads."""

    def __init__(self, redis: Client) -> None:
        self.redis = redis

    async def count(self, queue: str, counted: Mapping[str, int]) -> None:
        """Add to a queue's counts of the current minute."""
        await COUNT(of_queue(self.redis, queue), queue, *(word for pair in counted.items() for word in pair))

    async def fold(self, queue: str) -> None:
        """Add the minutes that are over to their hours, days and the total."""
        while await ROLLUP(of_queue(self.redis, queue), queue, FOLD_MINUTES) > 0:
            pass

    async def spans(
        self, tier: Tier, queue: str, numbers: Sequence[int], minute: int
    ) -> tuple[list[Row], Mapping[int, Row]]:
        """Rows of the spans `numbers` of a tier (minutes, hours or days since the epoch), empty where nothing was counted.

        In addition the rows, by their number, of the minutes up to `minute` that no longer span includes yet. All of one moment.
        """
        names = [KEYS[tier](queue, number) for number in numbers]
        reading = self._read(names, queue, minute, with_unfolded=tier != "minute")
        return await or_else(reading, ([{} for _ in names], {}))

    async def total(self, queue: str, minute: int) -> tuple[Row, Mapping[int, Row]]:
        """The row of everything ever counted; and rows of minutes up to `minute` that are not folded into it."""
        nothing: tuple[list[Row], Mapping[int, Row]] = ([{}], {})
        reading = self._read([keys.metrics_total(queue)], queue, minute, with_unfolded=True)
        (row,), unfolded = await or_else(reading, nothing)
        row.pop(b"through", None)
        return row, unfolded

    async def _read(
        self, names: Sequence[str], queue: str, minute: int, *, with_unfolded: bool
    ) -> tuple[list[Row], Mapping[int, Row]]:
        """Rows, and those of the minutes that the total does not hold yet, all of one moment.

        By one command: a page asks for thirty days of each queue, and while nothing is folded yet for two days of minutes.
        """
        place = of_queue(self.redis, queue)
        rows, unfolded = await READ_COUNTS(place, queue, minute, int(with_unfolded), *names)
        late = zip(unfolded[::2], unfolded[1::2], strict=True)
        return [_row(row) for row in rows], {number: _row(row) for number, row in late}


def _row(words: Sequence[bytes]) -> Row:
    return dict(zip(words[::2], words[1::2], strict=True))
