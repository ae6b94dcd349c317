"""A job as it is asked for and as it is accepted: the request in words of the client, and its terms in words of the scripts."""

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any, NamedTuple, Required, TypedDict

import msgspec

from service.engine.store.script_inputs import NewJob
from service.engine.terms import NO_TERMS, Terms, to_ms
from tasks.sdk.limits import key_value
from tasks.sdk.types import JobType, Payload


class Accepted(msgspec.Struct, frozen=True):
    """An accepted job. `status` is queued, scheduled, or whatever an earlier request's job is by now."""

    job_id: str
    status: str
    estimated_seconds: int
    estimated_duration: str
    warning: str | None = None
    """Note for the client: that the deadline will hardly be met."""


@dataclass(frozen=True)
class JobRequest:
    """A job as a client asks for it."""

    job_type: JobType
    payload: Payload
    priority: str = "normal"
    terms: Terms = NO_TERMS
    idempotency_key: str | None = None
    units: int = 0
    origin: str | None = None
    job_id: str = ""
    """Random where it is empty."""
    mails: int = 0
    """Messages that it sends, which its owner's plan may bound."""
    idempotency_for_s: int | None = None
    """Seconds for which the key holds, after the job was deleted too; None for KEY_HOLDS_S, and as long as the job is there."""


class Step(NamedTuple):
    """A job of a workflow: its name there, and the names of those that come before it."""

    name: str
    job: JobRequest
    after: Sequence[str]


class Given(TypedDict, total=False):
    """Facts of a new job besides its type and payload. `job_id` defaults to a random one; `parent` and `part` (from 1)
    make it a part of another job."""

    owner: Required[str]
    priority: str
    units: int
    job_id: str
    parent: str
    part: int
    due_ms: int
    weight: float
    """Share in the fair order; that of the owner's plan where it is left out, with the plan's bound on the priority."""


def weigh(request: NewJob, weight: float) -> None:
    """Write an owner's share of the fair order into a request."""
    request.weight = weight if weight != 1 else False


def set_terms(request: NewJob, terms: Terms) -> None:
    """Write the terms of a job into its request."""
    request.not_after = to_ms(terms.not_after) or None
    request.deadline = to_ms(terms.deadline) or None
    if terms.unique_key:
        for_ms = round(terms.unique_for_s * 1000) if terms.unique_for_s else None
        request.unique = {"key": terms.unique_key} | ({"for_ms": for_ms} if for_ms else {})
    if terms.callback_url:
        request.fields += ["callback_url", terms.callback_url]
    if merging := terms.throttle or terms.replace or terms.rerun:
        request.fields += ["callback_url", terms.callback_url or ""]
        request.merge = {"kind": type(merging).__name__.lower(), "key": merging.key}
    if terms.throttle and request.merge:
        request.merge["every_ms"] = round(terms.throttle.every_s * 1000)
    if terms.rerun:
        one = f"{request.type}:rerun:{key_value(request.owner)}/{key_value(terms.rerun.key)}|1|0|0"
        request.limits = f"{request.limits} {one}" if request.limits else one
    if terms.debounce:
        put_off = terms.debounce
        longest_ms = round(put_off.longest_s * 1000)
        # Of the latest request, like its payload: none where that names none.
        request.fields += ["callback_url", terms.callback_url or ""]
        request.debounce = {"key": put_off.key, "delay_ms": round(put_off.delay_s * 1000), "max_delay_ms": longest_ms}


def lateness(terms: Terms, expected_ms: int) -> str | None:
    """A sentence where the deadline, or the last moment to begin, will hardly be met."""
    if terms.deadline and expected_ms > to_ms(terms.deadline):
        expected = datetime.fromtimestamp(expected_ms / 1000, UTC)
        return f"It is expected to be done at {expected:%Y-%m-%d %H:%M:%S} UTC, after its deadline."
    return None


def request_fingerprint(
    job_type: JobType, payload: Payload, priority: str, due_ms: int, terms: Terms = NO_TERMS
) -> str:
    """SHA-256 of what the client asked for, in hex: equal for requests that mean the same job.

    `due_ms` (since the epoch) is 0 for a job that may start immediately. Terms that are not set leave the value as it was
    before they existed.
    """
    prepared: list[Any] = [job_type.name, payload, priority, due_ms]
    more = [terms.not_after, terms.deadline, terms.unique_key, terms.unique_for_s, terms.debounce]
    if any(more):
        prepared += more
    merging = [terms.throttle, terms.replace, terms.rerun]
    if any(merging):
        prepared += merging
    if terms.callback_url:
        prepared.append(terms.callback_url)
    body = msgspec.json.encode(prepared, order="deterministic")
    return hashlib.sha256(body).hexdigest()
