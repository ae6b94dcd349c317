"""Record of a workflow: its owner, its policy, and its jobs by name with those that come before each."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass

import msgspec

from service.engine.states import State
from service.engine.store.records import Job


@dataclass(frozen=True)
class Workflow:
    """`jobs`: by name the job's id and the names of those before it. `goes_on`: jobs also follow those that failed."""

    id: str
    owner: str
    created_ms: int
    goes_on: bool
    jobs: Mapping[str, tuple[str, list[str]]]


def as_record(owner: str, goes_on: bool, jobs: Mapping[str, tuple[str, list[str]]]) -> dict[str, str]:
    """Fields of the hash that `to_workflow` reads. The script that writes it adds the time and the count of jobs."""
    return {"owner": owner, "goes_on": "1" if goes_on else "", "jobs": msgspec.json.encode(jobs).decode()}


def to_workflow(workflow_id: str, raw: Mapping[bytes, bytes]) -> Workflow:
    """Read a workflow's hash."""
    jobs = msgspec.json.decode(raw[b"jobs"], type=dict[str, tuple[str, list[str]]])
    return Workflow(workflow_id, raw[b"owner"].decode(), int(raw[b"created_ms"]), raw[b"goes_on"] == b"1", jobs)


def state_of(jobs: Iterable[Job | None]) -> State:
    """State of a whole workflow: active while a job runs or will run unasked, else completed, or the worst of its ends.

    A job that waits for one that has failed does not run unasked. None is a job that was removed, once it had ended.
    """
    found = [job for job in jobs if job is not None]
    states = {job.state for job in found}
    if any(not job.state.terminal and not job.waits_for for job in found):
        return State.ACTIVE
    for state in (State.FAILED, State.EXPIRED, State.CANCELLED):
        if state in states:
            return state
    return State.COMPLETED if states <= {State.COMPLETED} else State.CANCELLED
