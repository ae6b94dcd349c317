"""The states of a job, each with its meaning beneath it. `docs/states.md` draws the transitions between them."""

from enum import StrEnum


class State(StrEnum):
    QUEUED = "queued"
    """Ready to run: it is in its queue's sorted set and the next free worker takes it in fair order."""

    SCHEDULED = "scheduled"
    """Accepted for later: it becomes queued when its time comes."""

    ACTIVE = "active"
    """Claimed by a worker that holds its lease, or waiting for its own parts to end."""

    RETRYING = "retrying"
    """An attempt failed and the next one is due after a backoff."""

    COMPLETED = "completed"
    """Done: its result and artefacts are in place. Kept for the queue's retention, then removed with them."""

    FAILED = "failed"
    """The dead letter: no attempt is left, or the error is permanent. Kept until an operator retries or deletes it."""

    CANCELLED = "cancelled"
    """Stopped on request before it was done. Kept as long as a completed job."""

    EXPIRED = "expired"
    """It could not begin before its `not_after`. Kept as long as a completed job."""

    @property
    def terminal(self) -> bool:
        return self in TERMINAL

    @property
    def waiting(self) -> bool:
        return self in WAITING


TERMINAL = frozenset({State.COMPLETED, State.FAILED, State.CANCELLED, State.EXPIRED})
WAITING = frozenset({State.QUEUED, State.SCHEDULED, State.RETRYING})
