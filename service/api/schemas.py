"""Bodies of the API's responses, for the OpenAPI document and for readers. Times are RFC 3339, UTC, with milliseconds."""

from typing import Any, NotRequired, Self, TypedDict

import msgspec

from service.engine.job_requests import Accepted
from service.lib.sentences.recogniser import shown, shown_or_none


class FieldError(msgspec.Struct):
    """Fault of one field of the request."""

    field: str
    message: str


class ErrorBody(msgspec.Struct):
    """Every error. `errors` names the wrong fields, where fields are wrong."""

    status_code: int
    detail: str
    errors: list[FieldError]


class FileBody(msgspec.Struct, omit_defaults=True):
    """A document. `pages` is null where they cannot be counted without a password.

    A video has 0 pages, and its `width`, `height` (pixels as it is to be seen) and `duration_seconds`; others lack these.
    """

    file_id: str
    name: str
    bytes: int
    sha256: str
    media_type: str
    pages: int | None
    width: int | None = None
    height: int | None = None
    duration_seconds: float | None = None
    read_by: str | None = None
    """Newest completed job of the type pdf-ocr that has read the same bytes of the same owner."""
    scan: str | None = None
    """clean, infected (in quarantine), held (to be scanned before it can be used) or unscanned; null without a scanner."""
    signature: str | None = None
    """Name of the malware that was found."""


class FileList(msgspec.Struct):
    """Documents of certain bytes, oldest first."""

    files: list[FileBody]


class AcceptedBody(msgspec.Struct, omit_defaults=True):
    """A job that was taken. `status` is that of the first request's job where an Idempotency-Key was used again."""

    job_id: str
    status: str
    status_url: str
    estimated_duration: str
    estimated_seconds: int
    warning: str | None = None
    """Note for the client, such as that its deadline will hardly be met."""

    @classmethod
    def of(cls, accepted: Accepted) -> Self:
        """The answer for a job that the engine has taken."""
        return cls(
            job_id=accepted.job_id,
            status=accepted.status,
            status_url=f"/api/jobs/{accepted.job_id}/status",
            estimated_duration=shown(accepted.estimated_duration),
            estimated_seconds=accepted.estimated_seconds,
            warning=shown_or_none(accepted.warning),
        )


class JobProgress(TypedDict):
    """Status of a job without its result. `progress` is per cent; `data` are counts such as pages_processed and total_pages."""

    id: str
    status: str
    progress: int
    message: str
    data: dict[str, Any]
    created_at: str
    started_at: str | None
    estimated_completion: str | None
    finished_at: str | None
    attempt: int
    error: str | None


class ArtefactBody(TypedDict):
    """A finished file of a job. `url` is the path to download it from."""

    name: str
    bytes: int
    media_type: str
    url: str


class NextJob(JobProgress):
    """A job that began with the completion of another, such as the mail of a report."""

    type: str


class JobStatus(JobProgress):
    """Status of a job, with its result and its files once it has ended.

    `next_jobs` are those that began with its completion; it is filled where the status or the detail is read.
    """

    result: Any
    files: list[ArtefactBody]
    next_jobs: list[NextJob]


class AttemptBody(TypedDict):
    """One ended attempt. `outcome` is completed, failed, timeout, crashed or cancelled."""

    number: int
    worker: str
    started_at: str
    finished_at: str
    outcome: str
    error: str | None
    traceback: str | None


class PartStatus(JobProgress):
    """A part of a job, by its number."""

    part: int


class JobSummary(JobProgress):
    """A job in a list."""

    type: str
    queue: str
    priority: str


class AwaitedEvent(TypedDict):
    """The event that a job waits for, with what a person is asked, and until when it waits."""

    event: str
    question: str
    until: str | None


class JobDetail(JobSummary):
    """All that is known of a job. `waiting_for` is null but for one that was put aside for an event, `payload_note` but for one
    whose payload is too large to be shown, or cannot be read: then `payload` is empty."""

    waiting_for: AwaitedEvent | None

    schedule_at: str | None
    not_after: str | None
    deadline: str | None
    worker: str | None
    max_attempts: int
    payload: dict[str, Any]
    payload_note: str | None
    result: Any
    files: list[ArtefactBody]
    attempts: list[AttemptBody]
    parts: list[PartStatus]


class JobList(TypedDict):
    """One page, newest first. `next_cursor` goes into `cursor` for the next page; null at the end. `note` says how much has been
    looked at; it is there only where a page ends before all jobs that may fit have been."""

    jobs: list[JobSummary]
    next_cursor: str | None
    note: NotRequired[str]


class LogLineBody(TypedDict):
    """One line of a job's log. `level` is debug, info, warning or error; `fields` are what the task said with the event."""

    at: str
    level: str
    attempt: int
    event: str
    fields: dict[str, str]


class JobLog(TypedDict):
    """A job's log, oldest line first."""

    lines: list[LogLineBody]


class WorkerBody(TypedDict):
    """A worker's last report of itself."""

    id: str
    queue: str
    host: str
    pid: int
    pool_pids: list[int]
    version: str
    started_at: str
    heartbeat_age_seconds: float
    active: int
    processed: int
    failed: int
    rss_bytes: int
    fault: str | None
    """Reason why it cannot do its queue's work; null where it can."""
    sandbox: str
    """State of the sandbox of its children: on, partial, none or off; empty for a worker of an older release."""
    sandbox_detail: str
    """Phrase that says by what it is held, and what is not."""


class WorkersHealth(TypedDict):
    """`status` is ok, degraded or unavailable, with the reason in `detail`."""

    status: str
    detail: str
    workers: list[WorkerBody]


class WantedBody(TypedDict):
    """`backlog_seconds` is work that waits, for one slot; `slots` are those of the workers that are alive."""

    queue: str
    wanted: int
    backlog_seconds: float
    slots: int


class Health(TypedDict):
    """`status` is ok or unavailable; `checks` has "ok" or what is wrong for each part."""

    status: str
    checks: dict[str, str]
