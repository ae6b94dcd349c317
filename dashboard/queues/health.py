"""The one line that says whether an operator is needed, why, since when, and where to go next."""

from collections.abc import Sequence
from dataclasses import dataclass

from dashboard.formats import number
from dashboard.queues.row import QueueRow
from service.engine.states import State
from service.lib.sentences.recogniser import shown


@dataclass(frozen=True)
class Health:
    """`level` is good, watch or bad; `icon` names a symbol; `word` and `reason` are read together. `since_ms` is when it
    began, where that is known; `address` leads to the next step, which `step` names.
    """

    level: str
    icon: str
    word: str
    reason: str
    since_ms: int | None = None
    address: str = ""
    step: str = ""


def health(queues: Sequence[QueueRow], silent_since_ms: Sequence[int]) -> Health:
    """The most serious thing that is true: work without a worker, an absent mail server, dead letters, a pause, quiet
    or silent workers, retries, or nothing. `silent_since_ms` has the last report of each worker that stopped reporting.
    """
    found = (
        _stuck(queues)
        or _mail_server_away(queues)
        or _failed(queues)
        or _paused(queues)
        or _quieted(queues)
        or _silent(silent_since_ms)
    )
    return found or _retrying(queues) or _without_workers(queues) or _all_well(queues)


def _stuck(queues: Sequence[QueueRow]) -> Health | None:
    stranded = [(row, row.waiting + row.counts[State.ACTIVE]) for row in queues if not row.workers]
    stranded = [(row, jobs) for row, jobs in stranded if jobs]
    if not stranded:
        return None
    reasons = [f"{row.name} has no worker and {_jobs(jobs)} to do" for row, jobs in stranded]
    since_ms = _earliest([row.waiting_since_ms for row, _ in stranded])
    return Health("bad", "failed", "Stuck", _together(reasons), since_ms, "/admin/workers", "Start a worker")


def _mail_server_away(queues: Sequence[QueueRow]) -> Health | None:
    for row in queues:
        if row.absence:
            reason = f"{row.absence.reason.rstrip('.')}. {row.absence.advice}"
            address = f"/admin/jobs?queue={row.name}&status=retrying"
            return Health("bad", "failed", "No mail goes out", reason, row.absence.since_ms, address, "See what waits")
    return None


def _failed(queues: Sequence[QueueRow]) -> Health | None:
    failed = [(row, row.counts[State.FAILED]) for row in queues if row.counts[State.FAILED]]
    if not failed:
        return None
    where = ", ".join(f"{number(count)} in {row.name}" for row, count in failed)
    since_ms = _earliest([cause.first_ms for row, _ in failed for cause in row.causes])
    word = "Failed jobs wait for a decision"
    return Health("watch", "warning", word, where, since_ms, "/admin/errors", "See their causes")


def _paused(queues: Sequence[QueueRow]) -> Health | None:
    paused = [row for row in queues if row.holds.get("pause")]
    if not paused:
        return None
    reasons = [f"{row.name} was paused by {row.holds['pause'].by}: {row.holds['pause'].reason}" for row in paused]
    since_ms = _earliest([row.holds["pause"].since_ms for row in paused])
    return Health(
        "watch", "pause", "Paused", _together(reasons), since_ms, f"/admin/queues/{paused[0].name}", "Resume it"
    )


def _quieted(queues: Sequence[QueueRow]) -> Health | None:
    quieted = [row for row in queues if row.waiting and row.workers and not row.slots]
    if not quieted:
        return None
    reasons = [f"{_jobs(row.waiting)} of {row.name} and only quiet or stopping workers" for row in quieted]
    since_ms = _earliest([row.waiting_since_ms for row in quieted])
    return Health("watch", "pause", "Quiet", _together(reasons), since_ms, "/admin/workers", "Resume a worker")


def _silent(silent_since_ms: Sequence[int]) -> Health | None:
    if not silent_since_ms:
        return None
    reason = f"{_count(len(silent_since_ms), 'worker')} stopped reporting; the jobs are given to others"
    return Health("watch", "warning", "Silent", reason, min(silent_since_ms), "/admin/workers", "See which")


def _retrying(queues: Sequence[QueueRow]) -> Health | None:
    retrying = sum(row.counts[State.RETRYING] for row in queues)
    if not retrying:
        return None
    reason = f"{_jobs(retrying)} failed an attempt and will be tried again"
    return Health("watch", "retrying", "Retrying", reason, None, "/admin/jobs?status=retrying", "See why")


def _without_workers(queues: Sequence[QueueRow]) -> Health | None:
    if any(row.workers for row in queues):
        return None
    reason = "nothing waits, and nothing would be done if it did"
    return Health("watch", "warning", "No workers", reason, None, "/admin/workers", "Start one")


def _all_well(queues: Sequence[QueueRow]) -> Health:
    workers = sum(row.workers for row in queues)
    running = sum(row.counts[State.ACTIVE] for row in queues)
    waiting = sum(row.waiting for row in queues)
    reason = f"{_count(workers, 'worker')}, {number(running)} running, {number(waiting)} waiting"
    return Health("good", "completed", "All well", reason)


def _together(reasons: Sequence[str]) -> str:
    """Reasons in the reader's language, each for itself: taken as one sentence, the first one's form holds the others."""
    return "; ".join(shown(reason) for reason in reasons)


def _earliest(moments: Sequence[int | None]) -> int | None:
    return min((moment for moment in moments if moment is not None), default=None)


def _jobs(count: int) -> str:
    return _count(count, "job")


def _count(count: int, noun: str) -> str:
    return f"{number(count)} {noun}{'' if count == 1 else 's'}"
