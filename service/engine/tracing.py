"""`Tracing`: the spans around a job's steps, opened where the steps happen. Without OpenTelemetry they cost nothing."""

from contextlib import AbstractContextManager, nullcontext
from typing import Any, Protocol

from service.engine.store.records import Job
from service.engine.store.script_inputs import Outcome


class Tracing(Protocol):
    """Spans of the job queue. service/monitoring/tracing exports them."""

    def enqueue(self, queue: str, job_type: str, *, job_id: str = "", count: int = 0) -> AbstractContextManager[Any]:
        """A span while one job, or `count` of them, is queued.

        `job_id` is empty where the job has none yet (`enqueued` gives it); `count` is 0 for a single job.
        """
        ...

    def enqueued(self, job_id: str) -> None:
        """Give the current span the id of the job that it queued."""
        ...

    def trace_fields(self) -> list[str]:
        """Names and values, in turn, of the fields of a job's record that carry the current trace."""
        ...

    def attempt(self, job: Job) -> AbstractContextManager[Any]:
        """A span while an attempt runs: a child of the span that queued the job."""
        ...

    def step(self, name: str) -> AbstractContextManager[Any]:
        """A span while an attempt waits for one of its steps."""
        ...

    def stage(self, message: str, percent: int) -> None:
        """Add an event to the current span."""
        ...

    def outcome(self, outcome: Outcome) -> None:
        """Give the current attempt's span its outcome."""
        ...


class NoTracing:
    """Tracing that is off."""

    def enqueue(self, queue: str, job_type: str, *, job_id: str = "", count: int = 0) -> AbstractContextManager[Any]:
        return NO_SPAN

    def enqueued(self, job_id: str) -> None:
        pass

    def trace_fields(self) -> list[str]:
        return []

    def attempt(self, job: Job) -> AbstractContextManager[Any]:
        return NO_SPAN

    def step(self, name: str) -> AbstractContextManager[Any]:
        return NO_SPAN

    def stage(self, message: str, percent: int) -> None:
        pass

    def outcome(self, outcome: Outcome) -> None:
        pass


NO_SPAN: AbstractContextManager[Any] = nullcontext()
"""One for all: it has no state."""

NO_TRACING: Tracing = NoTracing()
