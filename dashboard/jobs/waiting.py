"""Why a job is waiting: live checks in the order in which they decide, the first that is not passed being the reason."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from dashboard.formats import number, whole
from dashboard.workers.liveness import alive
from service.services import Services
from service.states import State
from service.store import Job, WorkerInfo
from service.store.steering import Kind, Note
from settings.queues import Queue


@dataclass(frozen=True)
class Check:
    """A question, whether the job passes it, and what was found. `holds`: somebody must act before it can start."""

    question: str
    passed: bool
    answer: str
    holds: bool = False


async def checks(services: Services, job: Job, at_ms: int) -> list[Check]:
    """The checks of a job that waits; none for one that does not."""
    if not job.state.waiting or job.queue not in set(Queue):
        return []
    store = services.store
    running = (await store.counts())[job.queue][State.ACTIVE]
    serving = [worker for worker in await store.workers() if worker.queue == job.queue and alive(worker, at_ms)]
    wait_ms = await services.enqueuer.estimator.wait_ms(job.queue)
    notes = await store.steering.notes(job.queue)
    return [
        _due(job, at_ms),
        _paused(job.queue, notes, at_ms),
        _limited(notes, running),
        _served(job.queue, serving),
        *([_free(serving, wait_ms)] if serving else []),
    ]


def _due(job: Job, at_ms: int) -> Check:
    if job.due_ms is None or job.due_ms <= at_ms:
        return Check("Is it time?", True, "Yes.")
    reason = "its next try is due" if job.state is State.RETRYING else "it was asked for"
    return Check("Is it time?", False, f"Not yet: {reason} in {whole(job.due_ms - at_ms)}.")


def _paused(queue: str, notes: Mapping[Kind, Note], at_ms: int) -> Check:
    note = notes.get("pause")
    if note is None:
        return Check("Is the queue open?", True, "Yes.")
    end = f" for another {whole(note.until_ms - at_ms)}" if note.until_ms else ""
    return Check("Is the queue open?", False, f"{note.by} paused {queue}{end}: {note.reason}", holds=True)


def _limited(notes: Mapping[Kind, Note], running: int) -> Check:
    note = notes.get("limit")
    if note is None:
        return Check("Is it below the limit?", True, "There is none.")
    if running < note.value:
        return Check("Is it below the limit?", True, f"{number(running)} of {number(note.value)} are running.")
    answer = f"{number(running)} of {number(note.value)} are running; {note.by} set the limit: {note.reason}"
    return Check("Is it below the limit?", False, answer)


def _served(queue: str, serving: Sequence[WorkerInfo]) -> Check:
    if serving:
        return Check("Is a worker there?", True, f"{number(len(serving))} of {queue}.")
    return Check("Is a worker there?", False, f"No worker of {queue} is alive.", holds=True)


def _free(serving: Sequence[WorkerInfo], wait_ms: float) -> Check:
    slots = sum(worker.slots for worker in serving)
    free = slots - sum(worker.active for worker in serving)
    if free > 0:
        return Check("Is a slot free?", True, f"{number(free)} of {number(slots)}: it starts at once when it is next.")
    return Check(
        "Is a slot free?", False, f"All {number(slots)} are taken; the work that waits takes {whole(wait_ms)}."
    )
