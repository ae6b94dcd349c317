"""Actions on many jobs at once: tracked, abortable, over a set of ids that is frozen when they begin.

A job that arrives, fails or ends after the operator looked is not in the set, whatever its filter would say now.
"""

import secrets
from collections.abc import Sequence
from dataclasses import dataclass, fields, replace
from typing import Literal

from service.engine.redis.client import Client
from service.engine.states import TERMINAL, State
from service.engine.store import keys
from service.engine.store.conditions import Fields, OneOf
from service.engine.store.errors import StoreError, TooManyToRead, WrongState
from service.engine.store.job_filter import JobFilter
from service.engine.store.listing import by_fields, by_lists
from service.engine.store.queries import Queries
from service.engine.store.undo import UNDO_S, Undoable, UndoKind, undo_id, undoable
from service.lib.clock import now_ms

Kind = Literal["retry", "cancel", "delete"]

APPLIES: dict[Kind, tuple[State, ...]] = {
    "retry": (State.FAILED, State.CANCELLED, State.EXPIRED),
    "cancel": (State.QUEUED, State.SCHEDULED, State.RETRYING, State.ACTIVE),
    "delete": tuple(sorted(TERMINAL)),
}
"""The states that each kind of action is for."""

FILTERED = 1_000
"""Ids looked at in one call: some two milliseconds of the server's time."""

KEEP_S = 86_400
"""An operation can be looked at for a day after it began."""


LISTS_MAX = 20_000
"""Jobs whose logs or attempts the beginning of an operation reads: it ends within a request."""


@dataclass(slots=True, frozen=True)
class Selection(JobFilter):
    """Selection of jobs: all filters together, or explicit ids."""

    ids: tuple[str, ...] = ()

    @classmethod
    def of(cls, wanted: JobFilter) -> "Selection":
        """Everything that fits a filter."""
        return cls(**{field.name: getattr(wanted, field.name) for field in fields(wanted)})


@dataclass(slots=True, frozen=True)
class Operation:
    """Progress of an operation. `state`: running, done or aborted; `skipped` were in no fitting state any more."""

    id: str
    kind: Kind | UndoKind
    words: str
    by: str
    state: str
    total: int
    done: int
    skipped: int
    begun_ms: int


def new_id(kind: Kind) -> str:
    """An id that no operation has."""
    return f"{kind}-{secrets.token_hex(6)}"


class BulkOperations:
    """Begins, tracks and aborts operations. `step` does the next few ids of one; the maintenance leader calls it."""

    def __init__(self, queries: Queries) -> None:
        self.queries = queries
        self.redis: Client = queries.redis

    async def begin(
        self, kind: Kind, selection: Selection, *, words: str, by: str, operation_id: str = ""
    ) -> Operation:
        """Freeze the selection and begin: jobs that fit it later are not included. Returns the running operation.

        `words` describe the selection for people, `by` is the operator's name.
        """
        operation_id = operation_id or new_id(kind)
        frozen = keys.operation_ids(operation_id)
        total = await self._freeze(frozen, kind, selection)
        return await self._began(operation_id, kind, total=total, words=words, by=by)

    async def _began(self, operation_id: str, kind: Kind | UndoKind, *, total: int, words: str, by: str) -> Operation:
        frozen = keys.operation_ids(operation_id)
        record = {"kind": kind, "words": words, "by": by, "state": "running", "total": total, "done": 0, "skipped": 0}
        pipe = self.redis.pipeline(transaction=True)
        pipe.hset(keys.operation(operation_id), mapping=record | {"begun_ms": now_ms()})
        pipe.expire(keys.operation(operation_id), KEEP_S)
        pipe.expire(frozen, KEEP_S)
        pipe.zadd(keys.OPERATIONS, {operation_id: now_ms()})
        pipe.zremrangebyscore(keys.OPERATIONS, "-inf", now_ms() - KEEP_S * 1000)
        await pipe.execute()
        return await self.present(operation_id)

    async def _freeze(self, frozen: str, kind: Kind, selection: Selection) -> int:
        """Copy the ids on the server, by set algebra over the indexes. Returns how many."""
        if selection.ids:
            return int(await self.redis.zadd(frozen, {i: n for n, i in enumerate(selection.ids)}))
        states = [state for state in selection.states if state in APPLIES[kind]]
        owners = selection.named("owner")
        queues = selection.named("queue")
        groups = [
            *([[keys.by_owner(owner, state) for owner in owners for state in states]] if owners is not None else []),
            [keys.by_type(name, state) for name in await self._types(selection, queues) for state in states],
            *selection.memberships,
        ]
        if not await self._together(frozen, groups):
            return 0
        if selection.unless:
            await self._apart(frozen, selection.unless)
        await self._narrow(frozen, selection, queues)
        return int(await self.redis.zcard(frozen))

    async def _types(self, selection: Selection, queues: Sequence[str] | None) -> Sequence[str]:
        named = selection.named("type")
        if named is not None:
            return named
        seen = (
            [await self.queries.types(queue) for queue in queues]
            if queues is not None
            else [await self.queries.types()]
        )
        return selection.among("type", sorted({name for names in seen for name in names}))

    async def _together(self, frozen: str, groups: Sequence[Sequence[str]]) -> bool:
        """Copy what stands in at least one index of each group. False where a group is empty."""
        unions = []
        for number, group in enumerate(groups):
            if not group:
                return False
            union = frozen if not number else f"{frozen}:{number}"
            await self.redis.zunionstore(union, list(group), aggregate="MAX")
            await self.redis.expire(union, 60)
            unions.append(union)
        if len(unions) > 1:
            await self.redis.zinterstore(frozen, unions, aggregate="MAX")
            await self.redis.delete(*unions[1:])
        return True

    async def _apart(self, frozen: str, unless: Sequence[str]) -> None:
        """Take out what stands in one of the indexes."""
        await self.redis.zdiffstore(frozen, [frozen, *unless])

    async def _narrow(self, frozen: str, selection: Selection, queues: Sequence[str] | None) -> None:
        """Take out what the records and lists do not bear out: a few thousand ids at a time, without a bound but for lists."""
        others = any([await self.queries.holds_others(queue) for queue in queues or ()])
        since, until = selection.created
        if since is not None:
            await self.redis.zremrangebyscore(frozen, "-inf", f"({since}")
        if until is not None:
            await self.redis.zremrangebyscore(frozen, until, "+inf")
        if not (selection.conditions or selection.lists or others):
            return
        ids = [job_id.decode() for job_id in await self.redis.zrange(frozen, 0, -1)]
        if others:
            # Types that were moved to or from another queue stand in the indexes of both.
            selection = replace(
                selection, conditions=(OneOf(False, "queue", tuple(queues or ())), *selection.conditions)
            )
        left: dict[str, Fields] = {}
        for start in range(0, len(ids), FILTERED):
            some = ids[start : start + FILTERED]
            own = await by_fields(self.redis, selection, some)
            await self._remove(frozen, [job_id for job_id in some if job_id not in own])
            left |= own
            if selection.lists and len(left) > LISTS_MAX:
                await self.redis.delete(frozen)
                raise TooManyToRead(LISTS_MAX)
        if selection.lists:
            fitting = await by_lists(self.redis, selection, left)
            await self._remove(frozen, [job_id for job_id in left if job_id not in fitting])

    async def _remove(self, frozen: str, job_ids: Sequence[str]) -> None:
        for start in range(0, len(job_ids), FILTERED):
            await self.redis.zrem(frozen, *job_ids[start : start + FILTERED])

    async def present(self, operation_id: str) -> Operation:
        """One operation. Raises StoreError when it is not known (any more)."""
        raw = await self.redis.hgetall(keys.operation(operation_id))
        if not raw:
            raise StoreError(f"there is no operation {operation_id}")
        text = {name.decode(): value.decode() for name, value in raw.items()}
        return Operation(
            id=operation_id,
            kind=text["kind"],
            words=text["words"],
            by=text["by"],
            state=text["state"],
            # The undo of an operation that still ran finds more than it was begun with.
            total=max(int(text["total"]), int(text["done"]) + int(text["skipped"])),
            done=int(text["done"]),
            skipped=int(text["skipped"]),
            begun_ms=int(text["begun_ms"]),
        )

    async def list(self, limit: int = 20) -> list[Operation]:
        """The latest operations, newest first."""
        ids = [raw.decode() for raw in await self.redis.zrevrange(keys.OPERATIONS, 0, limit - 1)]
        return [await self.present(i) for i in ids if await self.redis.exists(keys.operation(i))]

    async def abort(self, operation_id: str) -> Operation:
        """Stop before the next step; what has been done stays done."""
        if (await self.present(operation_id)).state == "running":
            await self.redis.hset(keys.operation(operation_id), "state", "aborted")
        return await self.present(operation_id)

    async def undoable(self, operation_id: str) -> Undoable:
        """Jobs of an operation that `undo` would change back now."""
        return await undoable(self.redis, operation_id)

    async def undo(self, operation_id: str, *, by: str) -> Operation:
        """Change back what an operation has changed, and stop it where it still runs. Returns the operation that does so.

        Raises StoreError for an operation that is not known, WrongState where nothing of it can be changed back.
        """
        undone = await self.present(operation_id)
        before = await self.undoable(operation_id)
        if not before.jobs:
            raise WrongState(f"nothing of the operation {operation_id} can be undone (any more)")
        await self.abort(operation_id)
        own = undo_id(operation_id)
        # What has left the bin is not counted. What the last step still changes comes to the same set, and is undone as well.
        await self.redis.zremrangebyscore(keys.operation_ids(own), "-inf", f"({now_ms() - UNDO_S * 1000}")
        kind: UndoKind = "restore" if own.startswith("restore") else "requeue"
        return await self._began(own, kind, total=before.jobs, words=undone.words, by=by)

    async def next_ids(self, operation_id: str, count: int) -> Sequence[str]:
        """The next ids to do."""
        return [i.decode() for i in await self.redis.zrange(keys.operation_ids(operation_id), 0, count - 1)]

    async def record(self, operation_id: str, job_id: str, *, done: bool) -> None:
        """One id has been dealt with."""
        pipe = self.redis.pipeline(transaction=True)
        pipe.zrem(keys.operation_ids(operation_id), job_id)
        pipe.hincrby(keys.operation(operation_id), "done" if done else "skipped", 1)
        await pipe.execute()

    async def finish(self, operation_id: str) -> None:
        """Nothing is left to do."""
        if (await self.present(operation_id)).state == "running":
            await self.redis.hset(keys.operation(operation_id), "state", "done")
