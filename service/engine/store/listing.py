"""A page of a filtered list: the smallest index that knows a part of the filter leads, the others only bear it out."""

from collections.abc import Sequence
from dataclasses import dataclass

from service.engine.redis.client import Client
from service.engine.states import State
from service.engine.store import keys
from service.engine.store.records import Job
from service.engine.store.scripts import FILTER_IDS

EXAMINED_MAX = 10_000
"""Ids one page may look at to fill a filter that no single index serves: bounds the cost of a page, not its truth."""

STEP = 1_000
"""Ids looked at in one call at most: some two milliseconds of the server's time."""


@dataclass(slots=True, frozen=True)
class JobFilter:
    """A filter over jobs; None fits everything. `search` is a declared key with its value, such as ("file_id", "file-1")."""

    queue: str | None = None
    state: str | None = None
    type: str | None = None
    owner: str | None = None
    search: tuple[str, str] | None = None
    fingerprint: str | None = None
    any_of: tuple[tuple[str, str], ...] = ()
    """Search keys with their values, of which a job has at least one: a file's name may stand for several ids."""

    @property
    def plain(self) -> dict[str, str]:
        """Parts of the filter that a record itself bears out."""
        named = {"queue": self.queue, "state": self.state, "type": self.type, "owner": self.owner}
        return {name: value for name, value in named.items() if value is not None}

    def fits(self, job: Job) -> bool:
        return all(getattr(job, name) == value for name, value in self.plain.items())

    @property
    def named(self) -> list[str]:
        """Indexes of which each holds only one part of the filter, that no record's field tells for certain."""
        searched = [keys.found_by(*self.search)] if self.search else []
        return searched + ([keys.error_jobs(self.fingerprint)] if self.fingerprint else [])

    @property
    def led_by_types(self) -> bool:
        """True where the indexes of all the queue's types hold what fits; a named type, or an owner alone, needs no others."""
        return not self.type and not self.any_of and bool(self.queue or not (self.named or self.owner))

    def leaders(self, types: Sequence[str]) -> list[Sequence[str]]:
        """Groups of indexes, each of which together hold all that fits, and perhaps more.

        `types` are the queue's; they are looked at only where `led_by_types`.
        """
        if self.any_of:
            return [[keys.found_by(*pair) for pair in self.any_of]]
        states = [self.state] if self.state else [str(s) for s in State]
        groups: list[Sequence[str]] = [[key] for key in self.named]
        if self.owner:
            groups.append([keys.by_owner(self.owner, s) for s in states])
        if self.type or self.led_by_types:
            groups.append([keys.by_type(t, s) for t in ([self.type] if self.type else types) for s in states])
        return groups


class Reader:
    """Reads the ids that fit from the newest end of the leading indexes, a few at a time.

    `types` are all declared job types, whose indexes lead where the filter names none; `below` is the creation stamp (µs)
    above which everything has been read, None to begin with the newest.
    """

    def __init__(self, redis: Client, wanted: JobFilter, types: Sequence[str], below: int | None = None) -> None:
        self.redis = redis
        self.wanted = wanted
        self.below = below
        self.ended = False
        self.examined = 0
        self._groups = wanted.leaders(types)
        self._leading: Sequence[str] | None = self._groups[0] if len(self._groups) == 1 else None

    async def next(self, count: int, above: int | None = None) -> list[tuple[str, int]]:
        """Those that fit of the next `count`, as (id, stamp), newest first, none as old as `above`."""
        if self._leading is None:
            self._leading = await self._smallest()
        rows = await self._newest(self._leading, count, above)
        self.ended = len(rows) < count
        self.examined += len(rows)
        if rows:
            self.below = rows[-1][1]
        if rows and (len(self._groups) > 1 or self.wanted.named or self.wanted.any_of):
            rows = await self._fitting(rows, self._leading)
        return rows

    @property
    def step(self) -> int:
        """Number of ids to look at next, once the first few have not filled a page; each leading index is asked for as many."""
        return STEP // (1 + len(self._leading or ()) // 8)

    async def _smallest(self) -> Sequence[str]:
        pipe = self.redis.pipeline(transaction=False)
        for group in self._groups:
            for index in group:
                pipe.zcard(index)
        counts = iter(await pipe.execute())
        sizes = [sum(next(counts) for _ in group) for group in self._groups]
        return self._groups[sizes.index(min(sizes))]

    async def _newest(self, indexes: Sequence[str], count: int, above: int | None) -> list[tuple[str, int]]:
        """The `count` highest (id, stamp) under `below` over several indexes, each of which is sorted by stamp."""
        if not indexes:
            return []
        top = f"({self.below}" if self.below else "+inf"
        pipe = self.redis.pipeline(transaction=False)
        for index in indexes:
            pipe.zrevrangebyscore(index, top, f"({above}" if above else "-inf", start=0, num=count, withscores=True)
        # A job may stand in several of the indexes: one that names two files of a name does.
        rows = {i.decode(): int(stamp) for part in await pipe.execute() for i, stamp in part}
        return sorted(rows.items(), key=lambda row: -row[1])[:count]

    async def _fitting(self, rows: Sequence[tuple[str, int]], leading: Sequence[str]) -> list[tuple[str, int]]:
        """Those of which the other indexes and the records say so too."""
        known = {job_id for job_id, _ in rows}
        for index in self.wanted.named:
            if known and index not in leading:
                ids = list(known)
                scores = await self.redis.zmscore(index, ids)
                known = {job_id for job_id, score in zip(ids, scores, strict=True) if score is not None}
        if known and (plain := self.wanted.plain):
            conditions = [word for pair in plain.items() for word in pair]
            answer = await FILTER_IDS(self.redis, len(plain), *conditions, *known)
            known = {job_id.decode() for job_id in answer}
        return [row for row in rows if row[0] in known]


def cursor_of(stamp: int) -> str:
    """The opaque mark of a page's last job."""
    return format(stamp, "x")


def read_cursor(cursor: str | None) -> int | None:
    """Its stamp. Raises ValueError for an invalid cursor."""
    if cursor is None:
        return None
    try:
        return int(cursor, 16)
    except ValueError:
        raise ValueError(f"cursor {cursor[:40]!r} is not one that a list has given out") from None
