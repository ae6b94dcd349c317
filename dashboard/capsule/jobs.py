"""Jobs of a span: the failed and the longest, as many as a bounded search finds."""

from collections.abc import AsyncIterator, Sequence
from dataclasses import dataclass

from dashboard.capsule.span import IncidentSpan
from service.engine.states import State
from service.engine.store import Job, LogLine, Store
from service.engine.store.listing import cursor_of
from service.engine.store.records import Attempt

FAILED_SHOWN = 50
LONGEST_SHOWN = 10

EXAMINED_MAX = 2_000
"""Records of each kind that are read: the newest created before the end of the span."""

AT_ONCE = 100

LOG_LINES = 20


@dataclass(frozen=True)
class JobWithLog:
    """A job with its attempts and the last lines of its log."""

    job: Job
    attempts: Sequence[Attempt]
    log: Sequence[LogLine]

    @property
    def ran_ms(self) -> int | None:
        return ran_ms(self.job)


@dataclass(frozen=True)
class FoundJobs:
    """Jobs that were found: `found` fit, of which the first few are shown; `whole` is False where the search was cut."""

    shown: Sequence[Job]
    found: int
    whole: bool


async def failed_jobs(store: Store, span: IncidentSpan) -> FoundJobs:
    """Dead letters that failed within the span, newest first."""
    shown, found, examined = list[Job](), 0, 0
    async for page in _pages(store, State.FAILED, span):
        examined += len(page)
        for job in page:
            if span.first_ms <= (job.finished_ms or 0) <= span.last_ms:
                found += 1
                if len(shown) < FAILED_SHOWN:
                    shown.append(job)
    return FoundJobs(shown, found, examined < EXAMINED_MAX)


async def longest_jobs(store: Store, span: IncidentSpan) -> FoundJobs:
    """Completed jobs of the span that ran longest."""
    best, found, examined = list[Job](), 0, 0
    async for page in _pages(store, State.COMPLETED, span):
        examined += len(page)
        fitting = [job for job in page if span.first_ms <= (job.finished_ms or 0) <= span.last_ms]
        found += len(fitting)
        best = sorted([*best, *fitting], key=lambda job: -(ran_ms(job) or 0))[:LONGEST_SHOWN]
        # Jobs that were created long before the span have ended before it, but for a few.
        if page[-1].created_ms < span.first_ms - (span.last_ms - span.first_ms):
            break
    return FoundJobs(best, found, examined < EXAMINED_MAX)


async def with_log(store: Store, job: Job) -> JobWithLog:
    """The job with its attempts and the end of its log."""
    return JobWithLog(job, await store.attempts(job.id), (await store.log(job.id))[-LOG_LINES:])


def ran_ms(job: Job) -> int | None:
    """Time of the last attempt; None where there was none."""
    return max(0, job.finished_ms - job.started_ms) if job.started_ms and job.finished_ms else None


async def _pages(store: Store, state: State, span: IncidentSpan) -> AsyncIterator[Sequence[Job]]:
    cursor: str | None = cursor_of((span.last_ms + 1) * 1000)
    for _ in range(EXAMINED_MAX // AT_ONCE):
        page = await store.list(state=state, limit=AT_ONCE, cursor=cursor)
        if page.jobs:
            yield page.jobs
        cursor = page.next_cursor
        if cursor is None:
            return
