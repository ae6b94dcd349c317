"""What travels into the scripts: a new job, and the outcome of an attempt."""

from typing import Any

import msgspec

from tasks.job import JobType, Payload


def as_json(value: Any) -> str:
    """JSON text for a hash field. Text, not bytes: the server's msgpack reader knows no binary type."""
    return msgspec.json.encode(value).decode()


class Idem(msgspec.Struct):
    """An Idempotency-Key with the fingerprint of the request that it stands for."""

    key: str
    print: str


class NewJob(msgspec.Struct, omit_defaults=False):
    """A job to be written: static fields go into its hash as they are; the rest places it."""

    id: str
    queue: str
    type: str
    owner: str
    priority: str
    cost: int
    """Expected milliseconds of one attempt: its weight in fair order and in the backlog's estimate."""
    due: int
    """Milliseconds since the epoch before which it must not start; 0 for at once."""
    fields: list[Any]
    find: list[str]
    parent: str = ""
    idem: Idem | bool = False
    limit: int | bool = False
    adopt: bool = False
    refused: str | bool = False


class Outcome(msgspec.Struct):
    """How an attempt ended. `kind`: completed, failed, cancelled, retry, later, handback or suspend."""

    id: str
    queue: str
    fence: int
    kind: str
    fields: list[Any] = msgspec.field(default_factory=list)
    attempt: dict[str, Any] | bool = False
    due: int = 0
    units: int = 0
    run_ms: int | bool = False
    result: str | bool = False
    """What a completed job answers, as JSON."""
    next: list[NewJob] = msgspec.field(default_factory=list)
    """Jobs that begin with the completion."""


def new_job(
    job_type: JobType,
    payload: Payload,
    *,
    job_id: str,
    owner: str,
    priority: str,
    retries: int,
    cost_ms: int,
    units: int,
    due_ms: int = 0,
    parent: str = "",
    part: int = 0,
) -> NewJob:
    """The request that writes one job of a declared type."""
    fields: list[Any] = ["payload", as_json(payload), "units", units, "retries", retries]
    if parent:
        fields += ["part", part]
    find = [f"{key}:{value}" for key in job_type.search_keys if (value := getattr(payload, key, None)) is not None]
    return NewJob(
        id=job_id,
        queue=str(job_type.queue),
        type=job_type.name,
        owner=owner,
        priority=priority,
        cost=cost_ms,
        due=due_ms,
        fields=fields,
        find=[] if parent else find,
        parent=parent,
    )
