"""Figures of `offload top`, read at the queue server in a few commands."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from service.engine.states import State
from service.engine.store import Job, Store, WorkerInfo
from service.lib.clock import now_ms
from settings.queues import Queue

RUNNING_SHOWN, FAILED_SHOWN = 200, 50

BAR = 10
"""Characters of a whole bar."""


@dataclass(frozen=True)
class TopFigures:
    """Queues, workers and jobs at one moment."""

    counts: Mapping[str, Mapping[State, int]]
    paused: Mapping[str, str]
    """Reason given for each queue that is paused."""
    workers: Sequence[WorkerInfo]
    jobs: Sequence[Job]
    """Those that run, oldest first, so that a row keeps its place; then those that failed, newest first."""
    at_ms: int


async def read_figures(store: Store) -> TopFigures:
    """Raises RedisError or OSError where the server does not answer."""
    running = (await store.list(state=State.ACTIVE, limit=RUNNING_SHOWN)).jobs
    failed = (await store.list(state=State.FAILED, limit=FAILED_SHOWN)).jobs
    paused = {}
    for queue in Queue:
        if hold := (await store.controls.holds(queue)).get("pause"):
            paused[str(queue)] = hold.reason
    workers = sorted(await store.workers(), key=lambda worker: (worker.queue, worker.id))
    return TopFigures(await store.counts(), paused, workers, [*reversed(running), *failed], now_ms())


def queue_row(figures: TopFigures, queue: str) -> tuple[str, ...]:
    """Queue, waiting, running, retrying, failed, workers, note."""
    counts = figures.counts[queue]
    alive = [one for one in figures.workers if one.queue == queue and one.alive(figures.at_ms)]
    note = f"paused: {figures.paused[queue]}" if queue in figures.paused else "" if alive else "no worker"
    states = (State.QUEUED, State.ACTIVE, State.RETRYING, State.FAILED)
    return (queue, *(f"{counts[state]:,}" for state in states), str(len(alive)), note)


def worker_row(figures: TopFigures, worker: WorkerInfo) -> tuple[str, ...]:
    """Worker, queue, jobs of its slots, memory, note."""
    silent_s = (figures.at_ms - worker.heartbeat_ms) // 1000
    if not worker.alive(figures.at_ms):
        note = f"silent for {silent_s} s"
    else:
        note = worker.fault or ("stopping" if worker.stopping else "quiet" if worker.quiet else "")
    memory = f"{worker.rss_bytes / 1_000_000:,.0f} MB"
    return (f"{worker.host}:{worker.pid}", worker.queue, f"{worker.active}/{worker.slots}", memory, note)


def job_row(job: Job) -> tuple[str, ...]:
    """Job, state, bar, message or error."""
    done = job.progress * BAR // 100
    bar = f"{'█' * done}{'░' * (BAR - done)} {job.progress:>3} %"
    return (job.id, str(job.state), bar, job.error or job.message)
