"""Objects that the API returns. Unknown fields are ignored, so that an older client works with a newer server."""

from __future__ import annotations

from datetime import datetime
from typing import Any

import msgspec

TERMINAL = frozenset({"completed", "failed", "cancelled", "expired"})
"""Statuses that a job does not leave unasked."""


class File(msgspec.Struct, frozen=True, kw_only=True):
    """An uploaded document. `pages` is None where they cannot be counted without a password.

    A video has 0 pages, and its measures in pixels and seconds; they are None for other documents.
    """

    file_id: str
    name: str
    bytes: int
    sha256: str
    media_type: str
    pages: int | None = None
    width: int | None = None
    height: int | None = None
    duration_seconds: float | None = None
    read_by: str | None = None
    """Newest completed job of the type pdf-ocr that has read the same bytes."""


class FileList(msgspec.Struct, frozen=True, kw_only=True):
    """Documents of certain bytes."""

    files: list[File]


class Artefact(msgspec.Struct, frozen=True, kw_only=True):
    """A file that a job has made."""

    name: str
    bytes: int = 0
    media_type: str = "application/octet-stream"
    url: str | None = None


class Status(msgspec.Struct, frozen=True, kw_only=True):
    """State of a job. `progress` is per cent; `data` holds counts such as pages_processed."""

    id: str
    status: str
    progress: float = 0
    message: str = ""
    data: dict[str, Any] = {}
    created_at: datetime | None = None
    started_at: datetime | None = None
    estimated_completion: datetime | None = None
    finished_at: datetime | None = None
    attempt: int = 0
    error: str | None = None
    result: Any = None
    files: list[Artefact] = []

    @property
    def terminal(self) -> bool:
        """True where the job has ended."""
        return self.status in TERMINAL


class Attempt(msgspec.Struct, frozen=True, kw_only=True):
    """One ended attempt of a job."""

    number: int
    worker: str
    outcome: str
    started_at: datetime | None = None
    finished_at: datetime | None = None
    error: str | None = None
    traceback: str | None = None


class JobDetail(Status, frozen=True, kw_only=True):
    """Everything that the API knows of a job."""

    type: str = ""
    queue: str = ""
    priority: str = "normal"
    schedule_at: datetime | None = None
    worker: str | None = None
    max_attempts: int = 1
    payload: dict[str, Any] = {}
    attempts: list[Attempt] = []
    parts: list[dict[str, Any]] = []


class Accepted(msgspec.Struct, frozen=True, kw_only=True):
    """Answer to a submission."""

    job_id: str
    status: str
    status_url: str
    estimated_duration: str = ""
    estimated_seconds: int = 0


class Ticket(msgspec.Struct, frozen=True, kw_only=True):
    """Permission for a browser to read one job until `expires_at`. `page_url` is a page for people, as a whole address."""

    ticket: str
    expires_at: datetime
    status_url: str
    page_url: str = ""


class WebhookMade(msgspec.Struct, frozen=True, kw_only=True):
    """A new webhook. The secret, which verifies its messages, cannot be read again."""

    webhook_id: str
    secret: str


class Webhook(msgspec.Struct, frozen=True, kw_only=True):
    """A URL that is told how jobs end."""

    webhook_id: str
    url: str
    events: list[str]
    created_at: datetime | None = None
    delivered_at: datetime | None = None
    failing_since: datetime | None = None
    disabled_at: datetime | None = None
    disabled_reason: str | None = None


class WebhookList(msgspec.Struct, frozen=True, kw_only=True):
    """All webhooks of the owner."""

    webhooks: list[Webhook]


class WebhookSecret(msgspec.Struct, frozen=True, kw_only=True):
    """The secret that signs what goes to `callback_url`s."""

    secret: str


class JobPage(msgspec.Struct, frozen=True, kw_only=True):
    """One page of a list, newest first."""

    jobs: list[JobDetail]
    next_cursor: str | None = None
