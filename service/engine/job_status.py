"""A job as clients see it: the status object and the full detail of the JSON API, its sentences in the reader's language."""

from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from typing import Any
from urllib.parse import quote

from service.engine.estimates import estimated_completion_ms
from service.engine.states import State
from service.engine.store import Attempt, Job
from service.lib.clock import now_ms
from service.lib.sentences.recogniser import shown, shown_or_none


def rfc3339(ms: int | None) -> str | None:
    """UTC with milliseconds, such as 2026-01-31T08:00:00.000Z; None for None."""
    if ms is None:
        return None
    return datetime.fromtimestamp(ms / 1000, UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")


def progress_object(job: Job, at_ms: int | None = None) -> dict[str, Any]:
    """The status of a job without its result, as lists hold it."""
    at = at_ms if at_ms is not None else now_ms()
    return {
        "id": job.id,
        "status": str(job.state),
        "progress": job.progress,
        "message": shown(job.message),
        "data": job.data,
        "created_at": rfc3339(job.created_ms),
        "started_at": rfc3339(job.first_started_ms),
        "estimated_completion": rfc3339(estimated_completion_ms(job, at)),
        "finished_at": rfc3339(job.finished_ms),
        "attempt": job.attempt,
        "error": shown_or_none(job.error),
    }


def status_object(job: Job, at_ms: int | None = None, next_jobs: Sequence[Job | None] = ()) -> dict[str, Any]:
    """The object of `GET /api/jobs/{id}/status`: with the result and the files of a job that has ended.

    `next_jobs` are those that began with its completion, so that who follows a report learns how its mail fares.
    """
    return progress_object(job, at_ms) | {
        "result": job.result,
        "files": [file_object(job, one) for one in job.artefacts],
        "next_jobs": [progress_object(one, at_ms) | {"type": one.type} for one in next_jobs if one is not None],
    }


def file_object(job: Job, artefact: Mapping[str, Any]) -> dict[str, Any]:
    """A file of a job with its size in bytes and the path that it is downloaded from."""
    name = artefact["name"]
    return {
        "name": name,
        "bytes": artefact["bytes"],
        "media_type": artefact["media_type"],
        "url": f"/api/jobs/{job.id}/files/{quote(name, safe='')}",
    }


def attempt_object(attempt: Attempt) -> dict[str, Any]:
    """One ended attempt."""
    return {
        "number": attempt.number,
        "worker": attempt.worker,
        "started_at": rfc3339(attempt.started_ms),
        "finished_at": rfc3339(attempt.finished_ms),
        "outcome": attempt.outcome,
        "error": shown_or_none(attempt.error),
        "traceback": attempt.traceback,
    }


def detail_object(
    job: Job,
    attempts: Sequence[Attempt],
    parts: Sequence[Job],
    next_jobs: Sequence[Job | None] = (),
    payload_note: str | None = None,
) -> dict[str, Any]:
    """The object of `GET /api/jobs/{id}`: everything but other people's business. `payload_note` is the reason why there is no
    payload."""
    return status_object(job, next_jobs=next_jobs) | {
        "type": job.type,
        "queue": job.queue,
        "priority": job.priority,
        "schedule_at": rfc3339(job.due_ms) if job.state is State.SCHEDULED else None,
        "not_after": rfc3339(job.not_after_ms),
        "deadline": rfc3339(job.deadline_ms),
        "callback_url": job.callback_url,
        "waiting_for": {
            "event": job.waiting_for,
            "question": job.question,
            "until": rfc3339(job.wait_due_ms),
        }
        if job.waiting_for
        else None,
        "worker": job.worker,
        "max_attempts": job.retries + 1,
        "payload": job.payload,
        "payload_note": shown_or_none(payload_note),
        "attempts": [attempt_object(a) for a in attempts],
        "parts": [progress_object(part) | {"part": part.part} for part in parts],
    }
