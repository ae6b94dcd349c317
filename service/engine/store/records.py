"""A job as it is kept: the record, its attempts, and what a claim hands to a worker."""

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any

import msgspec

from service.engine.blocked import read_blocked
from service.engine.sealing import MARK, PAYLOAD
from service.engine.states import State
from service.engine.store.sealed_records import TEXTS, is_sealed, open_record
from tasks.sdk.types import INCOMPLETE

PAYLOAD_FILE = "$file"
"""Stands in a record as the one field of a payload that is kept elsewhere. A release that does not know it calls the field
unknown, and leaves the job to a newer worker."""


class PayloadFile(msgspec.Struct, frozen=True):
    """A payload in the storage: its path within the folder of its job's files (service/engine/payload_files.py)."""

    path: str
    bytes: int
    sha256: str


@dataclass(slots=True)
class Job:
    """One job's record. Times are milliseconds since the epoch; `estimated_ms` is what one attempt is
    expected to take, `expected_ms` when it was expected to be done as it was queued."""

    id: str
    type: str = ""
    queue: str = ""
    owner: str = ""
    state: State = State.QUEUED
    priority: str = "normal"
    payload: dict[str, Any] = field(default_factory=dict)
    payload_file: PayloadFile | None = None
    """The file that holds the payload, which is empty here until it has been read."""
    stamp: int = 0
    created_ms: int = 0
    progress: int = 0
    message: str = ""
    data: dict[str, Any] = field(default_factory=dict)
    due_ms: int | None = None
    not_after_ms: int | None = None
    deadline_ms: int | None = None
    callback_url: str | None = None
    limits: str = ""
    """Keys of its limits, with their bounds (tasks/sdk/limits.py)."""
    blocked_by: str = ""
    """The key that keeps it from beginning, where one does (service/engine/blocked.py)."""
    waits_event: str = ""
    """The event that it was put aside for (`waiting_for` tells whether it still is), its end and what a person is asked."""
    wait_due_ms: int | None = None
    question: str = ""
    debounced: int = 0
    """Requests that put it off, besides the first."""
    replaced: int = 0
    """Requests that gave it their payload while it waited, besides the first."""
    started_ms: int | None = None
    first_started_ms: int | None = None
    finished_ms: int | None = None
    estimated_ms: int = 0
    expected_ms: int | None = None
    units: int = 0
    units_done: int = 0
    units_total: int = 0
    attempt: int = 0
    retries: int = 0
    tries_base: int = 0
    crashes: int = 0
    fence: int = 0
    worker: str | None = None
    error: str | None = None
    error_type: str | None = None
    result: Any = None
    parent: str | None = None
    part: int = 0
    parts_total: int = 0
    parts_done: int = 0
    parts_failed: int = 0
    waiting_parts: int = 0
    artefacts: list[dict[str, Any]] = field(default_factory=list)
    revision: int = 0
    """Number of times that its files were written again after its end."""
    cancel_requested: bool = False
    fingerprint: str | None = None
    permanent: bool = False
    """The error is one that no retry can fix as the job is."""
    postponed: int = 0
    """Number of times that it was returned by workers of a release that could not read it."""
    deleted_ms: int | None = None
    workflow: str | None = None
    waits_for: int = 0
    """Jobs of its workflow that must end before it begins."""
    origin: str | None = None
    """The job that this one repeats."""
    next_jobs: list[str] = field(default_factory=list)
    """Jobs that began with its completion."""
    weight: float = 1.0
    """Its owner's share of the fair order, as it was queued."""
    traceparent: str = ""
    """The trace that it belongs to, as W3C Trace Context writes it; empty without tracing."""
    tracestate: str = ""
    sealed_as: str = ""
    """The request whose id its encrypted payload is bound to, where that was merged into it."""
    unreadable: str = ""
    """Reason why some of it, which is encrypted, cannot be read here."""

    @property
    def incomplete(self) -> bool:
        """True where it completed without all that was asked for; its message says what is lacking."""
        return self.state is State.COMPLETED and self.message.startswith(INCOMPLETE)

    @property
    def tries_used(self) -> int:
        """Tries spent of the present budget (an operator's retry starts a fresh one)."""
        return self.attempt - self.tries_base

    @property
    def waiting_for(self) -> str:
        """Name of the event that it has been put aside for; empty while it runs or waits for anything else."""
        return self.waits_event if self.state is State.ACTIVE and not self.worker else ""

    @property
    def root(self) -> str:
        """The id under which files are kept: a part keeps them with its parent."""
        return self.parent or self.id


@dataclass(slots=True, frozen=True)
class Attempt:
    """One ended attempt. `outcome` is an AttemptOutcome."""

    number: int
    worker: str
    started_ms: int
    finished_ms: int
    outcome: str
    error: str | None = None
    traceback: str | None = None


class LogLine(msgspec.Struct, frozen=True):
    """One line that a job's task logged. `fields` are shown as they are; personal ones are masked."""

    at_ms: int
    level: str
    attempt: int
    event: str
    fields: dict[str, str] = {}


def _number(value: bytes) -> int:
    return int(float(value))


def _data(value: bytes) -> dict[str, Any]:
    # The scripts' JSON writer has one notation for empty lists and mappings; counts and lists are all that stands there.
    return {name: [] if one == {} else one for name, one in msgspec.json.decode(value).items()}


READERS: dict[bytes, tuple[str, Callable[[bytes], Any]]] = {
    b"state": ("state", lambda value: State(value.decode())),
    b"cost": ("estimated_ms", _number),
    b"cancel_requested": ("cancel_requested", bool),
    b"permanent": ("permanent", bool),
    b"weight": ("weight", float),
    **{
        name.encode(): (name, bytes.decode)
        for name in ("type", "queue", "owner", "priority", "message", "worker", "error", "error_type", "parent", "fingerprint",
                     "origin", "traceparent", "tracestate", "callback_url", "workflow", "limits", "blocked_by",
                     "waits_event", "question", "sealed_as")
    },
    **{name.encode(): (name, msgspec.json.decode) for name in ("payload", "result", "artefacts", "next_jobs")},
    b"data": ("data", _data),
    **{
        name.encode(): (name, _number)
        for name in (
            "stamp", "created_ms", "expected_ms", "progress", "due_ms", "started_ms", "first_started_ms", "finished_ms",
            "deleted_ms", "units", "units_done", "units_total", "attempt", "retries", "tries_base", "crashes", "fence",
            "postponed", "not_after_ms", "deadline_ms", "debounced", "replaced", "wait_due_ms",
            "revision", "part", "parts_total", "parts_done", "parts_failed", "waiting_parts", "waits_for",
        )
    },
}  # fmt: skip
"""The hash's fields that a record shows, each with its attribute and what reads it."""


def to_job(job_id: str, raw: Mapping[bytes, bytes]) -> Job:
    """Read a record's hash. Fields that are absent or empty take the record's defaults."""
    return _read(job_id, raw.items(), READERS)


def claimed_job(job_id: bytes, _fence: int, record: list[bytes], changed: list[Any]) -> Job:
    """A job as a claim hands it out: its record's hash, and what the lease has changed in it, as flat lists."""
    fields = dict(zip(record[::2], record[1::2], strict=True))
    fields.update(zip(changed[::2], changed[1::2], strict=True))
    return to_job(job_id.decode(), fields)


DISPATCHED_FIELDS: dict[str, tuple[str, Callable[[Any], Any]]] = {
    name.decode(): (attribute, {bytes.decode: str, _number: int}.get(read, read))
    for name, (attribute, read) in READERS.items()
} | {"state": ("state", State), "cancel_requested": ("cancel_requested", bool), "permanent": ("permanent", bool)}
"""The same for a record that comes as msgpack, where numbers may be numbers and text is text."""


def dispatched_job(message: bytes) -> Job:
    """The job in a message on a worker's channel: msgpack of its id, its fence and its record as a flat list."""
    job_id, _, words = msgspec.msgpack.decode(message)
    return _read(job_id, zip(words[::2], words[1::2], strict=True), DISPATCHED_FIELDS)


def ended_job(message: bytes) -> tuple[Job, int]:
    """A job as it ended, and the how manieth of its ends that was: a message of finish_job.lua."""
    job_id, number, words = msgspec.msgpack.decode(message)
    return _read(job_id, zip(words[::2], words[1::2], strict=True), DISPATCHED_FIELDS), number


def _marked(seen: Mapping[str, Any]) -> bool:
    """True where a field that JSON or text may be is encrypted, as its first character tells."""
    for name in TEXTS:
        if (text := seen.get(name)) and text[0] == MARK:
            return True
    data = seen.get("data")
    if data and any(type(one) is str and one[:1] == MARK for one in data.values()):
        return True
    return PAYLOAD in seen.get("payload", ())


def _read(
    job_id: str, fields: Iterable[tuple[Any, Any]], readers: Mapping[Any, tuple[str, Callable[[Any], Any]]]
) -> Job:
    seen: dict[str, Any] = {}
    sealed: dict[str, Any] = {}
    for name, value in fields:
        reader = readers.get(name)
        # A number that is 0 is its default too.
        if reader is not None and value:
            try:
                seen[reader[0]] = reader[1](value)
            except msgspec.DecodeError:
                if not is_sealed(value):
                    raise
                sealed[reader[0]] = value
    if sealed or _marked(seen):
        open_record(job_id, seen, sealed)
    if (payload := seen.get("payload")) and PAYLOAD_FILE in payload:
        seen["payload_file"] = msgspec.convert(payload[PAYLOAD_FILE], PayloadFile)
        seen["payload"] = {}
    if (recorded := seen.get("blocked_by")) and (blocked := read_blocked(recorded)):
        seen["message"] = blocked.sentence
    return Job(id=job_id, **seen)
