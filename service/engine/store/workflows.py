"""Record of a workflow: its owner, its policy, and its jobs by name with those that come before each."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass

import msgspec

from service.engine.sealing import SEALING
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


class EndedWorkflow(msgspec.Struct, frozen=True):
    """A workflow as it ended: a message of finish_job.lua. `jobs`: by name the job's id and its state then."""

    owner: str
    state: State
    ended_ms: float
    callback_url: str
    jobs: dict[str, tuple[str, State]]
    id: str = ""
    number: int = 0
    """Number of this end: a retry of a job begins the workflow again."""


def ended_workflow(message: bytes) -> EndedWorkflow:
    """The workflow in a message of its end. Raises ValueError for a message of anything else."""
    kind, workflow_id, number, record = msgspec.msgpack.decode(message)
    if kind != "workflow":
        raise ValueError(f"not a workflow: {kind}")
    ended = msgspec.convert(record, EndedWorkflow)
    url = SEALING.open(ended.callback_url, workflow_id, "callback_url")
    return msgspec.structs.replace(ended, id=workflow_id, number=number, callback_url=url)


def as_record(
    owner: str, goes_on: bool, jobs: Mapping[str, tuple[str, list[str]]], callback_url: str = ""
) -> dict[str, str]:
    """Fields of the hash that `to_workflow` reads. The script that writes it adds the time and the count of jobs."""
    record = {"owner": owner, "goes_on": "1" if goes_on else "", "jobs": msgspec.json.encode(jobs).decode()}
    return record | ({"callback_url": callback_url} if callback_url else {})


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
