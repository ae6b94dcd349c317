"""Actions on many jobs at once: tracked, abortable, over a set of ids that is frozen when they begin.

A job that arrives, fails or ends after the operator looked is not in the set, whatever its filter would say now.
"""

import secrets
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

from service.engine.redis.client import Client
from service.engine.states import TERMINAL, State
from service.engine.store import keys
from service.engine.store.errors import StoreError
from service.engine.store.queries import Queries
from service.engine.store.scripts import FILTER_IDS
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


@dataclass(slots=True, frozen=True)
class Selection:
    """Selection of jobs: all filters together, or explicit ids."""

    queue: str | None = None
    state: str | None = None
    type: str | None = None
    owner: str | None = None
    fingerprint: str | None = None
    search: tuple[str, str] | None = None
    any_of: tuple[tuple[str, str], ...] = ()
    """Search keys with their values, of which a job has at least one."""
    ids: tuple[str, ...] = ()


@dataclass(slots=True, frozen=True)
class Operation:
    """Progress of an operation. `state`: running, done or aborted; `skipped` were in no fitting state any more."""

    id: str
    kind: Kind
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
        states = [selection.state] if selection.state else [str(s) for s in APPLIES[kind]]
        types = [selection.type] if selection.type else await self.queries.types(selection.queue)
        indexes = [keys.by_type(t, s) for t in types for s in states]
        if not indexes:
            return 0
        await self.redis.zunionstore(frozen, indexes, aggregate="MAX")
        narrower = []
        if selection.owner:
            owned = f"{frozen}:owner"
            await self.redis.zunionstore(owned, [keys.by_owner(selection.owner, s) for s in states], aggregate="MAX")
            await self.redis.expire(owned, 60)
            narrower.append(owned)
        if selection.fingerprint:
            narrower.append(keys.error_jobs(selection.fingerprint))
        if selection.search:
            narrower.append(keys.found_by(*selection.search))
        if selection.any_of:
            found = f"{frozen}:found"
            await self.redis.zunionstore(found, [keys.found_by(*pair) for pair in selection.any_of], aggregate="MAX")
            await self.redis.expire(found, 60)
            narrower.append(found)
        if narrower:
            await self.redis.zinterstore(frozen, [frozen, *narrower], aggregate="MAX")
        if selection.queue and await self.queries.holds_others(selection.queue):
            await self._narrow_to_queue(frozen, selection.queue)
        return int(await self.redis.zcard(frozen))

    async def _narrow_to_queue(self, frozen: str, queue: str) -> None:
        """Take out the jobs of types that were moved to or from another queue, and that stand there."""
        ids = [job_id.decode() for job_id in await self.redis.zrange(frozen, 0, -1)]
        for start in range(0, len(ids), FILTERED):
            some = ids[start : start + FILTERED]
            own = {job_id.decode() for job_id in await FILTER_IDS(self.redis, 1, "queue", queue, *some)}
            if others := [job_id for job_id in some if job_id not in own]:
                await self.redis.zrem(frozen, *others)

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
            total=int(text["total"]),
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
