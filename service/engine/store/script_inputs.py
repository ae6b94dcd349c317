"""Inputs of the scripts: a new job, a claim with its offer, and the outcome of an attempt."""

import time
from dataclasses import dataclass
from typing import Any

import msgspec

from service.engine.outcomes import AttemptOutcome, OutcomeKind
from service.engine.store.records import Job
from tasks.sdk.limits import keys_of
from tasks.sdk.types import JobType, Payload


def as_json(value: Any) -> str:
    """JSON text for a hash field. Text, not bytes: the server's msgpack reader knows no binary type."""
    return msgspec.json.encode(value).decode()


class Idem(msgspec.Struct):
    """An Idempotency-Key with the fingerprint of the request that it stands for."""

    key: str
    fingerprint: str
    for_s: int
    """Seconds for which it holds."""
    lasting: bool = False
    """True where it stands for its job after that was deleted, too."""


class Permits(msgspec.Struct):
    """Permits that a job takes of a rate when it is accepted: `count`, of which `burst` may be taken at once and one more
    each `interval` microseconds."""

    name: str
    interval: int
    burst: int
    count: int


class NewJob(msgspec.Struct, omit_defaults=True):
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
    external: bool = False
    refused: str | bool = False
    not_after: int | None = None
    """Milliseconds since the epoch after which it must not begin."""
    deadline: int | None = None
    """Milliseconds since the epoch by which it should be done."""
    unique: dict[str, Any] | None = None
    """{key, for_ms}: it is the job that stands under the key, where there is one."""
    debounce: dict[str, Any] | None = None
    """{key, delay_ms, max_delay_ms}: likewise, and that one is put off."""
    merge: dict[str, Any] | None = None
    """{kind, key} of a throttle (with every_ms), replace or rerun: it is the job of the key that waits, where there is one,
    which takes its payload."""
    workflow: str | bool = False
    after: int | bool = False
    """Number of jobs of its workflow that must end before it; False for none."""
    limits: str | bool = False
    """Its keys and their bounds, for types with limits (includes/limit_keys.lua)."""
    followers: list[str] | bool = False
    """Ids of the jobs of its workflow that come after it."""
    weight: float | bool = False
    """Share of its owner's in the fair order; False for 1."""
    permits: Permits | bool = False
    own_entry: bool = False
    """True where the entry that a plain arq client wrote, with the whole payload, gives way to one of ours."""

    sealed: bool = False
    """True once its values have been encrypted (sealed_inputs.py)."""

    @property
    def payload(self) -> str:
        """The payload as JSON: `new_job` writes it first."""
        return str(self.fields[1])


class OnwardJob(msgspec.Struct):
    """A job that follows on another queue server: `text` is its request as JSON (service/engine/store/outbox.py)."""

    id: str
    queue: str
    text: str
    onward: bool = True


@dataclass(slots=True, frozen=True)
class Claim:
    """Request for ready jobs: at most `slots`, leased to `worker` for `lease_ms`."""

    queue: str
    worker: str
    slots: int
    lease_ms: int
    types: bytes
    """Names of the job types that the worker can run, as a msgpack list."""
    reap: bool = False
    """Settle jobs whose lease has run out."""
    rated: bool = True
    """True where a rate that was set for the queue bounds the starts of jobs. Without, the task meters what it does itself."""
    skip: int = 0
    """Ready jobs to pass over: where the claim before stopped reading (Claimed.go_on)."""


@dataclass(slots=True, frozen=True)
class IdleOffer:
    """A worker's offer to take further jobs as they are enqueued, where its claim finds fewer than it has slots.

    They come on its channel (channels.of_worker), to which the claim sends a message too: the worker knows by it that
    the channel works.
    """

    valid_ms: int
    channel_alive: bool = True
    """The worker has lately received something on its channel: without that, nothing is dispatched to it."""
    previously_offered: bool = False
    """An earlier offer of this worker may still stand, and is withdrawn where it has no slots left over."""


NO_OFFER = IdleOffer(0, channel_alive=False)
"""For a worker that reads no channel."""


def attempt_ended(job: Job, outcome: AttemptOutcome) -> dict[str, Any]:
    """The attempt as its history keeps it, but for its times, which are the server's."""
    return {"number": job.attempt, "worker": job.worker or "", "outcome": outcome}


class Outcome(msgspec.Struct):
    """End of an attempt. It tells durations, never times: the server's clock is the one that counts."""

    id: str
    queue: str
    fence: int
    kind: OutcomeKind
    fields: list[Any] = msgspec.field(default_factory=list)
    attempt: dict[str, Any] | str | bool = False
    """The attempt as its history keeps it, but for its times: a mapping, which travels as JSON text."""
    timed_out: bool = False
    delay_ms: int = 0
    """Wait before the next try."""
    waited_ms: int = 0
    """Time that the outcome has waited to be sent (`sent`)."""
    units: int = 0
    run_ms: int | bool = False
    """Duration of the attempt, for estimates; True: from its start to its end; False: nothing is to be learned from it."""
    result: str | bool = False
    """Result of a completed job, as JSON."""
    next: list[NewJob | OnwardJob] = msgspec.field(default_factory=list)
    """Jobs that begin with the completion."""
    find: list[str] = msgspec.field(default_factory=list)
    """Search keys that the result adds to those of the payload, as `key:value`."""
    counts: dict[str, int] = msgspec.field(default_factory=dict)
    """Added to the queue's measures with the completion."""
    usage: dict[str, int] = msgspec.field(default_factory=dict)
    """Amounts that a completed job delivered, added to its owner's month: fields of `OwnerMonth`."""
    cpu_ms: int = 0
    """CPU time of the attempt, or of this turn of it, however it ended."""
    renewed: bool = False
    """True where a renewal of the lease may have counted some of `cpu_ms`."""
    fingerprint: str | bool = False
    """Of an error that may pass: what it has in common with other errors of one cause. False for one that no retry can fix."""
    problem: str = ""
    """That error in one sentence."""
    ended_s: float = msgspec.field(default_factory=time.monotonic)

    def __post_init__(self) -> None:
        if isinstance(self.attempt, dict):
            self.timed_out = self.attempt.get("outcome") == AttemptOutcome.TIMEOUT
            self.attempt = as_json(self.attempt)

    def sent(self) -> None:
        """Note how long it has waited, each time that it is sent."""
        self.waited_ms = round((time.monotonic() - self.ended_s) * 1000)


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
    """The request that writes one job of a declared type.

    `cost_ms` is the expected time of one attempt, `units` the payload's work (0: unknown), `due_ms` (since the epoch) the
    time before which it must not start (0: immediately). A part has its `parent`'s id and its number `part` from 1; it has
    no search keys, since only its parent is found.
    """
    fields: list[Any] = ["payload", as_json(payload), "retries", retries]
    if units:
        fields += ["units", units]
    if parent:
        fields += ["part", part]
    return NewJob(
        id=job_id,
        queue=str(job_type.queue),
        type=job_type.name,
        owner=owner,
        priority=priority,
        cost=cost_ms,
        due=due_ms,
        fields=fields,
        find=[] if parent else found_by(job_type, payload),
        parent=parent,
        limits=keys_of(job_type.name, job_type.limits, payload, owner, job_type.personal) or False
        if job_type.limits
        else False,
    )


def found_by(job_type: JobType, payload: Payload) -> list[str]:
    """Under which search keys the job stands: each item of a list is one."""
    given = [(key, getattr(payload, key, None)) for key in job_type.search_keys]
    listed = [(key, value if isinstance(value, list) else [value]) for key, value in given if value is not None]
    return [f"{key}:{value}" for key, values in listed for value in values]
