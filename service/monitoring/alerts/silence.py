"""Silence of workers: how long one that no other has replaced has not reported."""

from collections.abc import Sequence
from dataclasses import dataclass

from service.engine.store import WorkerInfo


@dataclass(slots=True, frozen=True)
class Reading:
    """One measurement. `value` None: there is nothing to measure, so nothing can be wrong with it."""

    subject: str
    value: float | None
    detail: str = ""
    link: str = "/admin/queues"


def by_queue_of(workers: Sequence[WorkerInfo]) -> dict[str, list[WorkerInfo]]:
    """Workers by their queue."""
    found: dict[str, list[WorkerInfo]] = {}
    for worker in workers:
        found.setdefault(worker.queue, []).append(worker)
    return found


def silence_of(queue: str, workers: list[WorkerInfo], at_ms: int) -> Reading:
    """The longest silence on a queue. A worker that began after another fell silent stands in for it."""
    silent = sorted((w for w in workers if not w.alive(at_ms)), key=lambda w: w.heartbeat_ms)
    alive = sorted((w for w in workers if w.alive(at_ms)), key=lambda w: w.started_at_ms)
    unreplaced = []
    for worker in silent:
        replacement = next((one for one in alive if one.started_at_ms > worker.heartbeat_ms), None)
        if replacement is None:
            unreplaced.append(worker)
        else:
            alive.remove(replacement)
    if not unreplaced:
        return Reading(queue, 0.0 if workers else None, link="/admin/workers")
    detail = ", ".join(worker.id for worker in unreplaced[:3])
    return Reading(queue, (at_ms - unreplaced[0].heartbeat_ms) / 1000, detail, "/admin/workers")
