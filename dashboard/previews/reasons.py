"""Reasons why a job could not do some of its work, as its result lists it."""

from typing import Any

from service.engine.store import Job


def reasons_by(job: Job, listed_as: str, key: str) -> dict[Any, str]:
    """The reasons by the entries' `key`; as many as the job's result lists, none where it has no such list."""
    listed: Any = job.result.get(listed_as, ()) if isinstance(job.result, dict) else ()
    return {one[key]: one["reason"] for one in listed if isinstance(one, dict) and {key, "reason"} <= one.keys()}
