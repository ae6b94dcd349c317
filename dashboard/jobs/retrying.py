"""Retrying of a failed job as it is, and a job's state in words."""

from dashboard.state_badges import badge
from service.engine.states import State
from service.engine.store.records import Job


def permanent(job: Job) -> bool:
    """True where the job failed of an error that no retry can fix: its payload must change first."""
    return job.state is State.FAILED and job.permanent


def meaning(job: Job) -> str:
    """One line for a reader of the job's page."""
    if permanent(job):
        return "Cannot be retried as it is: edit it first"
    return "No attempt is left: it waits for a decision" if job.state is State.FAILED else badge(job.state).meaning
