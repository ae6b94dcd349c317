"""The words a job is written in: `Payload`, `job`, `Run`, `Parts` and the errors a task may raise.

A job type is one file in tasks/ that declares a payload and decorates one coroutine. Everything else (route, schema,
form, estimate, metrics) is derived from the `JobType` that the decorator registers.
"""

from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass, field
from typing import Any, get_type_hints

import msgspec

from settings.queues import Queue
from tasks.sdk.run import Run


class Payload(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """What a client sends to start a job: typed, stored as JSON, never pickled."""


class Permanent(Exception):
    """An error that no retry can mend. Its message is one sentence for the person who sent the job."""


class RetryLater(Exception):
    """Try again after `delay_s` seconds without spending an attempt (a rate limit, a peer that asks for patience)."""

    def __init__(self, delay_s: float, reason: str) -> None:
        super().__init__(reason)
        self.delay_s = delay_s


@dataclass(frozen=True)
class Meter:
    """How units of work become a progress bar: `low` + share × (`high` − `low`) per cent, with a message a person can read.

    `message` may name {done}, {total} and {percent}; `done_key` and `total_key` are the counts' names in the status data.
    """

    message: str
    done_key: str
    total_key: str
    low: int = 0
    high: int = 100


@dataclass(frozen=True)
class JobType:
    """A declared job: its name, where it runs and how it is bounded. `units` counts a payload's work for estimates."""

    name: str
    queue: Queue
    payload: type[Payload]
    function: Callable[[Any, Run], Awaitable[Any]]
    retries: int | None = None
    timeout_s: float | None = None
    backoff_s: float = 1.0
    backoff_max_s: float = 300.0
    expected_s: float = 1.0
    expected_unit_s: float = 0.0
    public: bool = True
    description: str = ""
    search_keys: tuple[str, ...] = ()
    personal: frozenset[str] = frozenset()
    accepts: Callable[[Any, Any], Awaitable[Any]] | None = None


REGISTRY: dict[str, JobType] = {}


def job(
    queue: Queue,
    *,
    name: str | None = None,
    retries: int | None = None,
    timeout_s: float | None = None,
    backoff_s: float = 1.0,
    backoff_max_s: float = 300.0,
    expected_s: float = 1.0,
    expected_unit_s: float = 0.0,
    public: bool = True,
    search_keys: Sequence[str] = (),
    personal: Sequence[str] = (),
    accepts: Callable[[Any, Any], Awaitable[Any]] | None = None,
) -> Callable[[Callable[[Any, Run], Awaitable[Any]]], JobType]:
    """Declare a coroutine `(payload, run) -> result` as a job type and register it under `name` (default: its own, dashed).

    `retries` and `timeout_s` default to the queue's. `expected_s` + units × `expected_unit_s` is the first guess of a
    duration in seconds, used only until a run has been measured. `search_keys` are payload fields one can find a job by
    (a list by each of its items); `personal` ones are masked wherever a viewer looks. `accepts(payload, checks)` may refuse
    a payload before it is queued (raising `Refused`) and returns its number of units.
    """

    def register(function: Callable[[Any, Run], Awaitable[Any]]) -> JobType:
        payload = get_type_hints(function)["payload"]
        declared = JobType(
            name=name or function.__name__.replace("_", "-"),
            queue=queue,
            payload=payload,
            function=function,
            retries=retries,
            timeout_s=timeout_s,
            backoff_s=backoff_s,
            backoff_max_s=backoff_max_s,
            expected_s=expected_s,
            expected_unit_s=expected_unit_s,
            public=public,
            description=(function.__doc__ or "").strip(),
            search_keys=tuple(search_keys),
            personal=frozenset(personal),
            accepts=accepts,
        )
        if declared.name in REGISTRY:
            raise ValueError(f"two job types are named {declared.name}")
        REGISTRY[declared.name] = declared
        return declared

    return register


class Refused(Exception):
    """A payload that cannot be accepted. `field` is the offending field; `status_code` the HTTP answer."""

    def __init__(self, message: str, *, field: str, status_code: int = 400) -> None:
        super().__init__(message)
        self.field = field
        self.status_code = status_code


@dataclass(frozen=True)
class PartResult:
    """What became of one part: `result` where it completed, `error` where it did not."""

    number: int
    status: str
    result: Any = None
    error: str | None = None
    payload: Any = field(default=None, repr=False)
