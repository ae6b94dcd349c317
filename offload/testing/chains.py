"""Jobs that a job starts: looked for, and run one after the other in this process."""

from dataclasses import dataclass
from typing import Any

import msgspec

from tasks.ports.files import Files
from tasks.sdk.testing import LocalRun
from tasks.sdk.types import JobType, Payload


@dataclass(frozen=True)
class Drained:
    """A job that was run: its run, and its result as JSON has it, or the error that its last attempt raised."""

    job: JobType
    payload: Payload
    run: LocalRun
    result: Any = None
    error: Exception | None = None


def assert_enqueued(run: LocalRun, job: JobType | str, **fields: Any) -> Payload:
    """See that `run` started a job of that type whose payload has these fields; returns the first such payload.

    Raises AssertionError that lists what was started instead.
    """
    name = job if isinstance(job, str) else job.name
    for one, payload in run.following:
        if one.name == name and all(getattr(payload, field, None) == value for field, value in fields.items()):
            return payload
    started = ", ".join(f"{one.name} {msgspec.to_builtins(payload)}" for one, payload in run.following) or "nothing"
    wanted = f"{name} with {fields}" if fields else name
    raise AssertionError(f"{wanted} was not enqueued; the job started {started}")


async def drain(run: LocalRun) -> list[Drained]:
    """Run the jobs that `run` has started, and those that they start, in order. Returns each with its result or error.

    They read the files of the job that started them with `run.artefact_of`.
    """
    done: list[Drained] = []
    waiting = _started(run)
    while waiting:
        job, payload, following = waiting.pop(0)
        try:
            drained = Drained(job, payload, following, result=await following.execute(job, payload))
        except Exception as error:
            drained = Drained(job, payload, following, error=error)
        done.append(drained)
        if drained.error is None:
            waiting += _started(following)
    return done


def _started(run: LocalRun) -> list[tuple[JobType, Payload, LocalRun]]:
    """Jobs that `run` has started, each with a run of its own. Started once: a second call finds nothing."""
    found = []
    for (job, payload), job_id in zip(run.following[-len(run.following_ids) :], run.following_ids, strict=False):
        ports = {**run.ports, Files: run.files}
        following = LocalRun(run.folder / "chain" / job_id, run.pool, ports=ports, job_id=job_id, owner=run.owner)
        following.files = run.files
        following.add_job(run.job_id, {one["name"]: run.artefact_bytes(one["name"]) for one in run.artefacts})
        found.append((job, payload, following))
    # `following` stays for assertions.
    run.following_ids = []
    return found
