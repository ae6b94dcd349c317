"""Outcomes of a request for a job and of an attempt, and reasons for ending one early, each with its meaning beneath it."""

from enum import StrEnum


class EnqueueOutcome(StrEnum):
    """Answer of enqueue.lua to one request for a job."""

    NEW = "new"
    """The job is written."""

    SAME = "same"
    """It is an earlier request's job: under the same Idempotency-Key, or the same unique key."""

    CONFLICT = "conflict"
    """The Idempotency-Key stands for another request. Nothing is written."""

    FULL = "full"
    """As many jobs of the owner wait as may. Nothing is written."""

    OVER = "over"
    """A rate of the owner's plan is used up. Nothing is written."""

    HELD = "held"
    """Nothing is written, because another of the jobs that go together was refused."""

    AWAY = "away"
    """Its queue's own server does not answer: whether the job is written is not known (placed.py)."""


class OutcomeKind(StrEnum):
    """Report of a worker on a job that it held; settle.lua does what each asks for."""

    COMPLETED = "completed"
    """The task returned: its result is kept, and the jobs that it starts begin."""

    FAILED = "failed"
    """A permanent error, or no try is left: the job becomes a dead letter."""

    CANCELLED = "cancelled"
    """Stopped by request, with the parts that have not ended."""

    RETRY = "retry"
    """An error that may pass: tried again after a backoff. Spends a try."""

    LATER = "later"
    """Not now (`RetryLater`, or a worker of a newer release is needed): tried again after a delay. Spends no try."""

    HANDBACK = "handback"
    """The worker shuts down or has no room: queued again at once. Spends no try."""

    SUSPEND = "suspend"
    """The job waits for its parts and gives its slot back. The attempt goes on when they have ended."""

    LOST = "lost"
    """The lease is another's, or over: nothing is recorded."""


class AttemptOutcome(StrEnum):
    """Name of an attempt's end in its history. An attempt that spends no try leaves no entry."""

    COMPLETED = "completed"
    """The task returned."""

    FAILED = "failed"
    """It raised an error, whether or not the job is tried again."""

    TIMEOUT = "timeout"
    """It took longer than its job type allows."""

    CRASHED = "crashed"
    """Its worker died, or fell silent until the lease ran out."""

    CANCELLED = "cancelled"
    """It was stopped by request."""


class StopReason(StrEnum):
    """Reason why an attempt is ended before its task has returned."""

    CANCELLED = "cancelled"
    """By request of the job's owner or of an operator."""

    SHUTDOWN = "shutdown"
    """The worker is told to end, and its grace time is over."""

    LOST = "lost"
    """The lease is another's by now: whatever the task still does counts for nothing."""
