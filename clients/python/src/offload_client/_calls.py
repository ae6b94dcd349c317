"""Requests and answers as data, shared by the synchronous and the asynchronous client: neither knows how to build one."""

from __future__ import annotations

import random
import uuid
from collections.abc import Mapping, Sequence
from datetime import datetime
from pathlib import Path
from typing import Any, BinaryIO, NamedTuple, TypeVar

import httpx
import msgspec

from offload_client.errors import ApiError, ServerError, Unreachable, error_for, error_of, retry_after
from offload_client.models import Accepted, Status, Ticket

T = TypeVar("T")

RETRIES = 5
"""Repetitions of a request that may be repeated, before the error is raised."""

PAUSE_MAX_S = 20.0
"""Longest pause between two repetitions unless the server asks for more."""

REPEATED = frozenset({429, 502, 503, 504})
"""Answers after which the same request may succeed."""

BULK = 1000
"""Jobs of one request to /api/jobs/batch."""

POLL_S = 25
"""Seconds of a long poll: below the time after which common proxies give up."""


class Call(NamedTuple):
    """One request. `safe` says that repeating it is harmless, as is any GET and any POST under an Idempotency-Key."""

    method: str
    path: str
    json: Any = None
    params: Mapping[str, Any] | None = None
    headers: Mapping[str, str] | None = None
    safe: bool = True

    def arguments(self) -> dict[str, Any]:
        """Keyword arguments of httpx' `request`."""
        given: dict[str, Any] = {"headers": dict(self.headers or {})}
        if self.json is not None:
            given["content"] = msgspec.json.encode(self.json)
            given["headers"]["Content-Type"] = "application/json"
        if self.params:
            given["params"] = {name: value for name, value in self.params.items() if value is not None}
        return given


def client_options(base_url: str, key: str, timeout_s: float) -> dict[str, Any]:
    """Keyword arguments of an httpx client."""
    headers = {"Authorization": f"Bearer {key}", "User-Agent": "offload-client/0.1.0"}
    # An upload is answered when the pages are counted, and a long poll when something has changed.
    timeout = httpx.Timeout(timeout_s, read=max(timeout_s, 120.0))
    return {"base_url": base_url.rstrip("/"), "headers": headers, "timeout": timeout}


def opened(path: Path) -> BinaryIO:
    """A file to upload, which httpx reads a piece at a time. Raises OSError."""
    return path.open("rb")


def submission(
    job_type: str, payload: Mapping[str, Any], idempotency_key: str | None, options: Mapping[str, Any]
) -> Call:
    """Queue one job; without an `idempotency_key` one is made, so that a repetition after a lost answer is the same job.

    `options` are fields of the request besides the payload's; one that is None is left out.
    """
    headers = {"Idempotency-Key": idempotency_key or f"auto-{uuid.uuid4()}"}
    body = {**payload, **{name: value for name, value in options.items() if value is not None}}
    return Call("POST", f"/api/jobs/{job_type}", body, headers=headers)


def bulk(jobs: Sequence[Mapping[str, Any]], all_or_nothing: bool) -> Call:
    """Queue up to BULK jobs in one request; each without a key of its own is given one."""
    keyed = [{"idempotency_key": f"auto-{uuid.uuid4()}", **job} for job in jobs]
    return Call("POST", "/api/jobs/batch", {"jobs": keyed, "all_or_nothing": all_or_nothing})


def status_call(job_id: str, etag: str | None = None, wait_s: int = 0) -> Call:
    """A job's status; with `wait_s` the answer comes at the next change from `etag`, or after so many seconds."""
    headers = {"If-None-Match": etag} if etag else None
    return Call("GET", f"/api/jobs/{job_id}/status", params={"wait": wait_s or None}, headers=headers)


def webhook_creation(url: str, events: Sequence[str]) -> Call:
    """Make a webhook. A repetition would make a second one."""
    return Call("POST", "/api/webhooks", {"url": url, "events": list(events)}, safe=False)


def encoded(value: datetime | None) -> str | None:
    """RFC 3339 of a moment. Raises ValueError for one without a time zone."""
    if value is None:
        return None
    if value.tzinfo is None:
        raise ValueError("schedule_at needs a time zone.")
    return value.isoformat()


def decoded(response: httpx.Response, kind: type[T]) -> T:
    """The body as `kind`. Raises ServerError for a body that is none of it."""
    try:
        return msgspec.json.decode(response.content, type=kind)
    except msgspec.MsgspecError as error:
        raise ServerError(response.status_code, f"The answer cannot be read: {error}", [], None) from None


def ticket_of(response: httpx.Response, base_url: httpx.URL) -> Ticket:
    """A ticket whose page has its whole address: a mail or a chat has no server that a path could belong to."""
    ticket = decoded(response, Ticket)
    return msgspec.structs.replace(ticket, page_url=str(base_url.join(ticket.page_url))) if ticket.page_url else ticket


def checked(response: httpx.Response) -> httpx.Response:
    """The response, if it is a success or 304. Raises ApiError."""
    if response.is_success or response.status_code == 304:
        return response
    raise error_of(response)


def pause_s(attempt: int, response: httpx.Response | None) -> float:
    """Seconds before repetition number `attempt`: what the server asks for, or exponential with full jitter."""
    advised = retry_after(response) if response is not None else None
    return advised if advised is not None else random.uniform(0.1, min(PAUSE_MAX_S, 0.4 * 2**attempt))


def worth_repeating(call: Call, response: httpx.Response) -> bool:
    """True where the same request may succeed later."""
    return call.safe and response.status_code in REPEATED


def unreachable(base_url: object, error: Exception) -> Unreachable:
    """The error for a server that does not answer."""
    return Unreachable(f"No answer from {base_url}: {type(error).__name__} {error}".rstrip())


def changed(last: Status | None, status: Status) -> bool:
    """True where a status differs in more than its estimate, which moves with the clock."""
    return last is None or msgspec.structs.replace(status, estimated_completion=last.estimated_completion) != last


def outcome(answer: Mapping[str, Any]) -> Accepted | ApiError:
    """One entry of a bulk answer."""
    if "job_id" in answer:
        return msgspec.convert(answer, Accepted)
    return error_for(answer["status_code"], answer["detail"], list(answer.get("errors") or []), None)
