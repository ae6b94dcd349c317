"""Undo of an operation on many jobs: jobs that it deleted are restored, jobs that it cancelled while they waited are queued again.

Each job is recorded before it is changed, so that a process that ends in between leaves none that cannot be brought back.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

from service.engine.redis.client import Client
from service.engine.states import State
from service.engine.store import keys
from service.engine.store.retention import BIN_S
from service.lib.clock import now_ms

UndoKind = Literal["restore", "requeue"]

UNDOES: dict[str, UndoKind] = {"delete": "restore", "cancel": "requeue"}
"""The action that takes back each kind of operation. A retry has none: its jobs may have begun."""

REQUEUED = (State.QUEUED.value.encode(), State.RETRYING.value.encode())
"""States before a cancellation that queueing again brings back: a job set for later would begin now, one that ran is no longer
where it was."""

UNDO_S = BIN_S
"""Seconds for which a change can be taken back: as long as a deleted job stays in the bin."""


@dataclass(slots=True, frozen=True)
class Undoable:
    """Number of jobs of an operation that can be changed back, and until when (ms since the epoch) the last of them can."""

    jobs: int = 0
    until_ms: int = 0


def undo_id(operation_id: str) -> str:
    """Id of the operation that takes this one back; empty for a kind that has none."""
    kind, _, rest = operation_id.partition("-")
    return f"{UNDOES[kind]}-{rest}" if kind in UNDOES else ""


async def record_changes(redis: Client, operation_id: str, job_ids: Sequence[str]) -> set[str]:
    """Record the jobs that the operation is about to change. Returns those that were not recorded yet."""
    recorded = undo_id(operation_id)
    if recorded.startswith("requeue") and job_ids:
        pipe = redis.pipeline(transaction=False)
        for job_id in job_ids:
            pipe.hget(keys.job(job_id), "state")
        states = await pipe.execute()
        job_ids = [job_id for job_id, state in zip(job_ids, states, strict=True) if state in REQUEUED]
    if not recorded or not job_ids:
        return set()
    pipe = redis.pipeline(transaction=True)
    for job_id in job_ids:
        pipe.zadd(keys.operation_ids(recorded), {job_id: now_ms()}, nx=True)
    pipe.expire(keys.operation_ids(recorded), UNDO_S)
    added = await pipe.execute()
    return {job_id for job_id, one in zip(job_ids, added[:-1], strict=True) if one}


async def forget_change(redis: Client, operation_id: str, job_id: str) -> None:
    """Take back the record of a job that was not changed after all."""
    await redis.zrem(keys.operation_ids(undo_id(operation_id)), job_id)


async def undoable(redis: Client, operation_id: str) -> Undoable:
    """Jobs that can be changed back now."""
    recorded = undo_id(operation_id)
    if not recorded:
        return Undoable()
    pipe = redis.pipeline(transaction=False)
    pipe.zcount(keys.operation_ids(recorded), now_ms() - UNDO_S * 1000, "+inf")
    pipe.zrange(keys.operation_ids(recorded), -1, -1, withscores=True)
    jobs, last = await pipe.execute()
    return Undoable(int(jobs), int(last[0][1]) + UNDO_S * 1000) if jobs else Undoable()
