"""Chains by declaration: job types that follow each completed job of another type."""

from dataclasses import dataclass
from typing import Any

from tasks.sdk.types import REGISTRY, JobType, Payload


@dataclass(frozen=True)
class Finished:
    """A job that completes: what a follower's payload is made of."""

    job_id: str
    payload: Any
    result: Any


def chain_problem(job_type: JobType) -> str | None:
    """Fault of what a job type follows: it does not exist, or follows it in turn, forever."""
    seen, name = {job_type.name}, job_type.after
    while name:
        if name in seen:
            return f"the job type {job_type.name} follows itself, by way of {job_type.after}"
        if name not in REGISTRY:
            return f"the job type {job_type.name} follows {job_type.after[:80]}, which does not exist"
        seen.add(name)
        name = REGISTRY[name].after
    return None


def followers(job_type: JobType, finished: Finished) -> list[tuple[JobType, Payload]]:
    """The jobs that follow one of `job_type`, with their payloads. One whose `follow` raises is logged and left out.

    The job that completes is not at fault, and must not fail for it.
    """
    found = []
    for one in REGISTRY.values():
        if one.after != job_type.name or one.follow is None:
            continue
        try:
            payload = one.follow(finished)
        except Exception:
            # It brings rich, and children that read documents import this module without ever writing a line.
            import structlog

            structlog.get_logger("offload.worker").exception("chain.failed", type=one.name, job=finished.job_id)
            continue
        if payload is not None:
            found.append((one, payload))
    return found
