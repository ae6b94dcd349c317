"""Errors of the client. Each carries the server's own sentence where the server sent one."""

from __future__ import annotations

from typing import Any

import httpx


class OffloadError(Exception):
    """Base of every error that this package raises."""


class Unreachable(OffloadError):
    """No answer came, after every retry."""


class WaitTimeout(OffloadError):
    """The job has not ended in the time given. It goes on; wait again to follow it."""


class ApiError(OffloadError):
    """A refusal. `detail` is one sentence; `errors` names the wrong fields as {"field", "message"}."""

    def __init__(
        self, status_code: int, detail: str, errors: list[dict[str, str]], retry_after_s: float | None
    ) -> None:
        super().__init__(detail)
        self.status_code = status_code
        self.detail = detail
        self.errors = errors
        self.retry_after_s = retry_after_s


class BadRequest(ApiError):
    """400, 413 or 415: the request itself is wrong; repeating it changes nothing."""


class NotAllowed(ApiError):
    """401 or 403: the key is unknown or lacks a right."""


class NotFound(ApiError):
    """404: no such thing, or it belongs to another owner."""


class Conflict(ApiError):
    """409: the state forbids it, or the Idempotency-Key stands for another request."""


class TooMany(ApiError):
    """429: over a limit; `retry_after_s` says when to try again."""


class ServerError(ApiError):
    """5xx, after every retry."""


class JobFailed(OffloadError):
    """A job that was waited for ended otherwise than completed. `status` is its last status object."""

    def __init__(self, status: Any) -> None:
        super().__init__(f"{status.id} ended as {status.status}: {status.error or status.message}")
        self.status = status


_BY_CODE = {
    400: BadRequest, 401: NotAllowed, 403: NotAllowed, 404: NotFound, 409: Conflict,
    413: BadRequest, 415: BadRequest, 422: BadRequest, 429: TooMany,
}  # fmt: skip


def error_of(response: httpx.Response) -> ApiError:
    """The error that a refusal becomes. The response's body must have been read."""
    try:
        body = response.json()
        detail, errors = str(body["detail"]), list(body.get("errors") or [])
    except (ValueError, KeyError, TypeError):
        call = f"{response.request.method} {response.request.url.path}"
        detail, errors = f"The server answered {response.status_code} to {call}.", []
    return error_for(response.status_code, detail, errors, retry_after(response))


def error_for(status_code: int, detail: str, errors: list[dict[str, str]], retry_after_s: float | None) -> ApiError:
    """The error of the class that fits a status code.

    `detail` is the answer's sentence, `errors` its list of `{"field", "message"}`, `retry_after_s` the seconds of its
    Retry-After header, None without one.
    """
    kind = _BY_CODE.get(status_code, ServerError if status_code >= 500 else ApiError)
    return kind(status_code, detail, errors, retry_after_s)


def retry_after(response: httpx.Response) -> float | None:
    """Seconds of a Retry-After header; None without one, or with a date."""
    try:
        return max(0.0, float(response.headers["retry-after"]))
    except (KeyError, ValueError):
        return None
