"""Row of a job in addition to its name: one time whose meaning follows the state, and its tries."""

from collections.abc import Mapping
from dataclasses import dataclass

from dashboard.formats import duration, whole
from dashboard.translation.catalogue import named
from service.engine.states import State
from service.engine.store.records import Job
from settings.amounts import counted as amount
from tasks.sdk.types import REGISTRY

TIME_TEXTS: Mapping[str, str] = {
    "waiting": "waiting {time}",
    "starts": "starts in {time}",
    "retrying": "next try in {time}",
    "running": "running {time}",
    "took": "took {time}",
}
"""Times of a job in words. They are translated here: with so few letters of its own no text is recognised afterwards."""


@dataclass(frozen=True)
class When:
    """`words` say what the time means; `at_ms` is the moment they speak of."""

    words: str
    at_ms: int


def when(job: Job, now_ms: int) -> When:
    """Waiting since, starts at, running for, next try at, took, failed or cancelled at."""
    started = job.started_ms or job.created_ms
    finished = job.finished_ms or now_ms
    match job.state:
        case State.QUEUED:
            return When(_timed("waiting", whole(now_ms - job.created_ms)), job.created_ms)
        case State.SCHEDULED:
            return _due(job, now_ms, "starts")
        case State.RETRYING:
            return _due(job, now_ms, "retrying")
        case State.ACTIVE:
            return When(_timed("running", whole(now_ms - started)), started)
        case State.COMPLETED:
            return When(_timed("took", duration(finished - started)), finished)
        case State.FAILED:
            return When(f"failed after {duration(finished - started)}", finished)
        case State.CANCELLED:
            return When("cancelled", finished)
        case State.EXPIRED:
            return When("expired", finished)


def _timed(text: str, time: str) -> str:
    return named(TIME_TEXTS[text]).format(time=time)


def _due(job: Job, now_ms: int, text: str) -> When:
    at_ms = job.due_ms or now_ms
    return When(_timed(text, whole(at_ms - now_ms)) if at_ms > now_ms else "due now", at_ms)


def counted(job: Job, units: int) -> str:
    """Units of a job in its type's own word, such as 12 pages."""
    job_type = REGISTRY.get(job.type)
    return job_type.counted(units) if job_type else amount(units, "unit")


def tries(job: Job) -> str:
    """Tries used of those allowed, such as 1/3."""
    return f"{job.tries_used}/{job.retries + 1}"
