"""The one line that says whether anything needs a person, and why."""

from collections.abc import Sequence
from dataclasses import dataclass

from dashboard.formats import number
from dashboard.queues.row import QueueRow
from service.engine.states import State


@dataclass(frozen=True)
class Health:
    """`level` is good, watch or bad; `icon` names a symbol; `word` and `reason` are read together."""

    level: str
    icon: str
    word: str
    reason: str


def health(queues: Sequence[QueueRow], silent_workers: int) -> Health:
    """The most serious thing that is true: work without a worker, dead letters, a pause, quiet or silent
    workers, retries, or nothing."""
    paused = [row for row in queues if row.notes.get("pause")]
    stranded = [(row, row.waiting + row.counts[State.ACTIVE]) for row in queues if not row.workers]
    stranded = [(row, jobs) for row, jobs in stranded if jobs]
    if stranded:
        reasons = [f"{row.name} has no worker and {_jobs(jobs)} to do" for row, jobs in stranded]
        return Health("bad", "failed", "Stuck", "; ".join(reasons))
    failed = [(row, row.counts[State.FAILED]) for row in queues if row.counts[State.FAILED]]
    if failed:
        where = ", ".join(f"{number(count)} in {row.name}" for row, count in failed)
        return Health("watch", "warning", "Failed jobs wait for a decision", where)
    if paused:
        reasons = [f"{row.name} by {row.notes['pause'].by}: {row.notes['pause'].reason}" for row in paused]
        return Health("watch", "pause", "Paused", "; ".join(reasons))
    quieted = [row for row in queues if row.waiting and row.workers and not row.slots]
    if quieted:
        reasons = [f"{_jobs(row.waiting)} of {row.name} and only quiet or stopping workers" for row in quieted]
        return Health("watch", "pause", "Quiet", "; ".join(reasons))
    if silent_workers:
        return Health(
            "watch",
            "warning",
            "Silent",
            f"{_count(silent_workers, 'worker')} stopped reporting; the jobs are given to others",
        )
    retrying = sum(row.counts[State.RETRYING] for row in queues)
    if retrying:
        return Health("watch", "retrying", "Retrying", f"{_jobs(retrying)} failed an attempt and will be tried again")
    workers = sum(row.workers for row in queues)
    if not workers:
        return Health("watch", "warning", "No workers", "nothing waits, and nothing would be done if it did")
    running = sum(row.counts[State.ACTIVE] for row in queues)
    waiting = sum(row.waiting for row in queues)
    return Health(
        "good",
        "completed",
        "All well",
        f"{_count(workers, 'worker')}, {number(running)} running, {number(waiting)} waiting",
    )


def _jobs(count: int) -> str:
    return _count(count, "job")


def _count(count: int, noun: str) -> str:
    return f"{number(count)} {noun}{'' if count == 1 else 's'}"
