"""A job as it is kept: the record, its attempts, and what a claim hands to a worker."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import msgspec

from service.states import State


@dataclass(slots=True)
class Job:
    """One job's record. Times are milliseconds since the epoch; `estimated_ms` is what one attempt is
    expected to take, `expected_ms` when it was expected to be done as it was queued."""

    id: str
    type: str
    queue: str
    owner: str
    state: State
    priority: str
    payload: dict[str, Any]
    stamp: int
    created_ms: int
    progress: int = 0
    message: str = ""
    data: dict[str, Any] = field(default_factory=dict)
    due_ms: int | None = None
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
    cancel_requested: bool = False
    fingerprint: str | None = None
    deleted_ms: int | None = None

    @property
    def tries_used(self) -> int:
        """Tries spent of the present budget (an operator's retry starts a fresh one)."""
        return self.attempt - self.tries_base

    @property
    def root(self) -> str:
        """The id under which files are kept: a part keeps them with its parent."""
        return self.parent or self.id


@dataclass(slots=True, frozen=True)
class Attempt:
    """One ended attempt. `outcome` is completed, failed, retry, crashed, timeout or cancelled."""

    number: int
    worker: str
    started_ms: int
    finished_ms: int
    outcome: str
    error: str | None = None
    traceback: str | None = None


@dataclass(slots=True)
class WorkerInfo:
    """A worker's last report of itself."""

    id: str
    queue: str
    host: str
    pid: int
    pool_pids: list[int]
    version: str
    started_at_ms: int
    heartbeat_ms: int
    active: int
    processed: int
    failed: int
    rss_bytes: int
    jobs: list[str] = field(default_factory=list)
    slots: int = 1
    stopping: bool = False


def to_job(job_id: str, raw: Mapping[bytes, bytes]) -> Job:
    """Read a record's hash. Fields that are absent or empty take the record's defaults."""
    get = raw.get

    def text(name: bytes) -> str | None:
        value = get(name)
        return value.decode() if value else None

    def number(name: bytes) -> int | None:
        value = get(name)
        return int(float(value)) if value else None

    def document(name: bytes, default: Any) -> Any:
        value = get(name)
        return msgspec.json.decode(value) if value else default

    return Job(
        id=job_id,
        type=text(b"type") or "",
        queue=text(b"queue") or "",
        owner=text(b"owner") or "",
        state=State(text(b"state") or "queued"),
        priority=text(b"priority") or "normal",
        payload=document(b"payload", {}),
        stamp=number(b"stamp") or 0,
        created_ms=number(b"created_ms") or 0,
        progress=number(b"progress") or 0,
        message=text(b"message") or "",
        data=document(b"data", {}) or {},
        due_ms=number(b"due_ms"),
        started_ms=number(b"started_ms"),
        first_started_ms=number(b"first_started_ms"),
        finished_ms=number(b"finished_ms"),
        estimated_ms=number(b"cost") or 0,
        expected_ms=number(b"expected_ms"),
        units=number(b"units") or 0,
        units_done=number(b"units_done") or 0,
        units_total=number(b"units_total") or 0,
        attempt=number(b"attempt") or 0,
        retries=number(b"retries") or 0,
        tries_base=number(b"tries_base") or 0,
        crashes=number(b"crashes") or 0,
        fence=number(b"fence") or 0,
        worker=text(b"worker"),
        error=text(b"error"),
        error_type=text(b"error_type"),
        result=document(b"result", None),
        parent=text(b"parent"),
        part=number(b"part") or 0,
        parts_total=number(b"parts_total") or 0,
        parts_done=number(b"parts_done") or 0,
        parts_failed=number(b"parts_failed") or 0,
        waiting_parts=number(b"waiting_parts") or 0,
        artefacts=document(b"artefacts", []),
        cancel_requested=bool(get(b"cancel_requested")),
        fingerprint=text(b"fingerprint"),
        deleted_ms=number(b"deleted_ms"),
    )
