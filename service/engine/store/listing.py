"""A page of a filtered list: the smallest index that knows a part of the filter leads, the others only bear it out."""

import contextlib
import heapq
import re
from collections import deque
from collections.abc import Mapping, Sequence
from typing import Any

import msgspec

from service.engine.redis.client import Client
from service.engine.sealing import MARK, SEALING
from service.engine.store.conditions import Fields
from service.engine.store.job_filter import JobFilter
from service.engine.store.list_conditions import BYTES_MAX, JOBS_AT_ONCE, JOBS_MAX, AttemptedBy, all_fit, lists_of
from service.engine.store.scripts import FILTER_IDS, READ_FIELDS
from service.lib.encryption import Unreadable

EXAMINED_MAX = 10_000
"""Ids one page may look at to fill a filter that no single index serves: bounds the cost of a page, not its truth."""

STEP = 1_000
"""Ids looked at in one call at most: some two milliseconds of the server's time."""

AHEAD = 8 * STEP
"""Ids that are read ahead over all leading indexes."""

Row = tuple[str, int]
"""A job's id and its creation stamp."""


class Reader:
    """Reads the ids that fit from the newest end of the leading indexes, a few at a time.

    `types` are all declared job types, whose indexes lead where the filter names none; `below` is the creation stamp (µs)
    above which everything has been read, None to begin with the newest.
    """

    def __init__(self, redis: Client, wanted: JobFilter, types: Sequence[str], below: int | None = None) -> None:
        self.redis = redis
        self.wanted = wanted
        since, until = wanted.created
        self.below = min((stamp for stamp in (below, until) if stamp is not None), default=None)
        self.begun_below = self.below
        self._since = "-inf" if since is None else str(since)
        self.examined = 0
        self.cut = False
        """True where reading of lists ended before the rows that were read."""
        self._lists_read = 0
        self._bytes_read = 0
        self._groups = wanted.leaders(types)
        self._leading: Sequence[str] | None = self._groups[0] if len(self._groups) == 1 else None
        self._ahead: dict[str, deque[Row]] | None = None
        self._open: set[str] = set()
        self._tops: dict[str, int] = {}

    @property
    def ended(self) -> bool:
        """True once the leading indexes have been read to their ends."""
        return self._ahead is not None and not self._open and not any(self._ahead.values())

    @property
    def spent(self) -> bool:
        """True once as much has been looked at as one page may."""
        return self.examined >= EXAMINED_MAX or self._lists_spent

    @property
    def step(self) -> int:
        """Number of ids to look at next at most, once the first few have not filled a page."""
        return min(4 * JOBS_AT_ONCE if self.wanted.lists else STEP, max(1, EXAMINED_MAX - self.examined))

    async def next(self, count: int, above: int | None = None) -> list[Row]:
        """Those that fit of the next `count`, as (id, stamp), newest first, none as old as `above`."""
        if self._leading is None:
            self._leading = await self._smallest()
        rows = await self._newest(count, self._since if above is None else f"({above}")
        self.examined += len(rows)
        if rows:
            self.below = rows[-1][1]
        return await self._fitting(rows)

    async def candidates(self) -> int:
        """Number of ids in the leading indexes below where reading began: as many fit at most."""
        pipe = self.redis.pipeline(transaction=False)
        for index in self._leading or ():
            pipe.zcount(index, self._since, f"({self.begun_below}" if self.begun_below else "+inf")
        return sum(await pipe.execute()) if self._leading else 0

    @property
    def _lists_spent(self) -> bool:
        return self._lists_read >= JOBS_MAX or self._bytes_read >= BYTES_MAX

    async def _smallest(self) -> Sequence[str]:
        pipe = self.redis.pipeline(transaction=False)
        for group in self._groups:
            for index in group:
                pipe.zcard(index)
        counts = iter(await pipe.execute())
        sizes = [sum(next(counts) for _ in group) for group in self._groups]
        return self._groups[sizes.index(min(sizes))]

    async def _newest(self, count: int, lowest: str) -> list[Row]:
        """The `count` highest (id, stamp) under `below` over the leading indexes, each of which is sorted by stamp."""
        if self._ahead is None:
            self._open = set(self._leading or ())
            self._ahead = {index: deque() for index in self._open}
        rows: list[Row] = []
        last = self.below
        while len(rows) < count and not self.ended:
            await self._read_ahead(count, lowest)
            heads = [(-ahead[0][1], index) for index, ahead in self._ahead.items() if ahead]
            heapq.heapify(heads)
            while heads and len(rows) < count:
                _, index = heads[0]
                ahead = self._ahead[index]
                row = ahead.popleft()
                # A job may stand in several of the indexes, one that names two files of a name does; and one that changes
                # its state in the meantime may be met in both.
                if last is None or row[1] < last:
                    rows.append(row)
                    last = row[1]
                if ahead:
                    heapq.heapreplace(heads, (-ahead[0][1], index))
                elif index in self._open:
                    # What follows in this index may come before the others' next.
                    break
                else:
                    heapq.heappop(heads)
        return rows

    async def _read_ahead(self, count: int, lowest: str) -> None:
        """Read on in each index of which nothing is ahead, but those that have ended: an empty one is asked once."""
        assert self._ahead is not None
        chunk = min(count, max(51, AHEAD // max(1, len(self._open))))
        empty = [index for index in self._open if not self._ahead[index]]
        if not empty:
            return
        pipe = self.redis.pipeline(transaction=False)
        for index in empty:
            top = (
                f"({self._tops[index]}"
                if index in self._tops
                else f"({self.begun_below}"
                if self.begun_below
                else "+inf"
            )
            pipe.zrevrangebyscore(index, top, lowest, start=0, num=chunk, withscores=True)
        for index, found in zip(empty, await pipe.execute(), strict=True):
            self._ahead[index].extend((job_id.decode(), int(stamp)) for job_id, stamp in found)
            if len(found) < chunk:
                self._open.discard(index)
            else:
                self._tops[index] = self._ahead[index][-1][1]

    async def _fitting(self, rows: list[Row]) -> list[Row]:
        """Those of which the other indexes, the records and the lists say so too."""
        known = {job_id for job_id, _ in rows}
        for group in self.wanted.memberships:
            if known and group != self._leading:
                known &= await self._members(group, known)
        if known and self.wanted.unless:
            known -= await self._members(self.wanted.unless, known)
        plain = self.wanted.plain
        if known and plain and (len(self._groups) > 1 or self.wanted.memberships):
            conditions = [word for pair in plain.items() for word in pair]
            answer = await FILTER_IDS(self.redis, len(plain), *conditions, *known)
            known = {job_id.decode() for job_id in answer}
        rows = [row for row in rows if row[0] in known]
        if not rows or not (self.wanted.conditions or self.wanted.lists):
            return rows
        own = await by_fields(self.redis, self.wanted, [job_id for job_id, _ in rows])
        rows = [row for row in rows if row[0] in own]
        return await self._by_lists(rows, own) if self.wanted.lists else rows

    async def _members(self, indexes: Sequence[str], job_ids: set[str]) -> set[str]:
        """Those that stand in one of the indexes."""
        ids = list(job_ids)
        pipe = self.redis.pipeline(transaction=False)
        for index in indexes:
            pipe.zmscore(index, ids)
        answers = await pipe.execute()
        return {ids[n] for scores in answers for n, score in enumerate(scores) if score is not None}

    async def _by_lists(self, rows: list[Row], own: Mapping[str, Fields]) -> list[Row]:
        """Those whose lists fit. Once as much has been read as one page may, reading ends at the last that was."""
        found: list[Row] = []
        for start in range(0, len(rows), JOBS_AT_ONCE):
            some = rows[start : start + JOBS_AT_ONCE]
            lists = await lists_of(self.redis, [job_id for job_id, _ in some], self.wanted.lists)
            self._lists_read += len(some)
            self._bytes_read += sum(len(line) for lines in lists for one in lines for line in one)
            found += [
                row for row, lines in zip(some, lists, strict=True) if all_fit(self.wanted.lists, lines, own[row[0]])
            ]
            if self._lists_spent and start + JOBS_AT_ONCE < len(rows):
                self.below, self.cut = some[-1][1], True
                break
        return found


async def by_fields(redis: Client, wanted: JobFilter, job_ids: Sequence[str]) -> dict[str, Fields]:
    """The jobs whose records meet the conditions, with the fields that were read."""
    read = await read_fields(redis, wanted, job_ids)
    return {job_id: own for job_id, own in read.items() if all(one.holds(own) for one in wanted.conditions)}


async def by_lists(redis: Client, wanted: JobFilter, jobs: Mapping[str, Fields]) -> set[str]:
    """Those of some jobs whose lists fit."""
    ids, found = list(jobs), set[str]()
    for start in range(0, len(ids), JOBS_AT_ONCE):
        some = ids[start : start + JOBS_AT_ONCE]
        lists = await lists_of(redis, some, wanted.lists)
        found |= {one for one, lines in zip(some, lists, strict=True) if all_fit(wanted.lists, lines, jobs[one])}
    return found


async def read_fields(redis: Client, wanted: JobFilter, job_ids: Sequence[str]) -> dict[str, Fields]:
    """Of each record the fields that the filter's conditions are about."""
    names = sorted(
        {name for one in wanted.conditions for name in one.fields}
        | ({"worker"} if any(isinstance(one, AttemptedBy) for one in wanted.lists) else set())
    )
    if not names:
        return {job_id: {} for job_id in job_ids}
    packed = await READ_FIELDS(redis, len(names), *names, *job_ids)
    rows: list[list[Any]] = msgspec.msgpack.decode(packed)
    return {
        job_id: {
            name: _opened(job_id, name, value) for name, value in zip(names, row, strict=True) if value is not False
        }
        for job_id, row in zip(job_ids, rows, strict=True)
    }


def _opened(job_id: str, name: str, value: Any) -> str:
    text = str(value)
    if not text.startswith(MARK):
        return text
    # What cannot be read has none of the texts that are looked for.
    with contextlib.suppress(Unreadable):
        return SEALING.open(text, job_id, name)
    return ""


STAMP = re.compile("[0-9a-f]{1,15}")
"""Fewer than 64 bits: the queue server takes no more."""


def cursor_of(stamp: int) -> str:
    """The opaque mark of a page's last job."""
    return format(stamp, "x")


def read_cursor(cursor: str | None) -> int | None:
    """Its stamp. Raises ValueError for an invalid cursor."""
    if cursor is None:
        return None
    if not STAMP.fullmatch(cursor):
        raise ValueError(f"cursor {cursor[:40]!r} is not one that a list has given out")
    return int(cursor, 16)
