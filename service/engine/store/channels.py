"""Channels between the store and its workers and watchers, and the words that travel on them."""

from service.engine.store.keys import PREFIX


def of_queue(queue: str) -> str:
    """Carries `work` when the queue has work, and `cancel <job id>` when a running job must stop."""
    return f"{PREFIX}wake:{queue}"


def of_worker(worker_id: str) -> str:
    """Carries jobs that were leased to the worker as they were enqueued, signs of life, and commands."""
    return f"{PREFIX}hand:{worker_id}"


def of_job(job_id: str) -> str:
    """Carries a word after each change of the job's record."""
    return f"{PREFIX}event:{job_id}"


ALIVE, NO_MORE = b"here", b"last"
"""On a worker's channel: the channel reaches the worker, and no more jobs will come."""

QUIET, RESUME, STOP = b"quiet", b"resume", b"stop"
"""Commands on a worker's channel: start nothing new, start jobs again, end as after SIGTERM."""

COMMANDS = frozenset({QUIET, RESUME, STOP})
