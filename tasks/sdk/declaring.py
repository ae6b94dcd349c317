"""`job`: declares a coroutine as a job type.

A job type is one file in tasks/ that declares a payload and decorates one coroutine. Everything else (route, schema,
form, estimate, metrics) is derived from the `JobType` that the decorator registers.
"""

from collections.abc import Awaitable, Callable, Mapping
from typing import Any, TypedDict, Unpack, get_type_hints

from settings.queues import Queue
from tasks.sdk.limits import Rate
from tasks.sdk.run import Run
from tasks.sdk.types import REGISTRY, JobType, Payload

Function = Callable[[Any, Run], Awaitable[Any]]


class JobOptions(TypedDict, total=False):
    """Options of a job type. One that is left out has the default of the field of its name in `JobType`."""

    retries: int | None
    """Retries after the first attempt; None is the queue's number."""
    timeout_s: float | None
    """Limit of one attempt in seconds; None is the queue's limit."""
    backoff_s: float
    """Pause before the first retry in seconds. It doubles with each one, up to `backoff_max_s`."""
    backoff_max_s: float
    expected_s: float
    """First guess of a job's duration, with `expected_unit_s` for each unit; used until a run has been measured."""
    expected_unit_s: float
    first_use_s: float
    """Seconds that the first runs of a worker take longer, to load models for one; in the estimate until one is measured."""
    unit: str
    """Name of a unit of work, in the singular: page, row, message."""
    unit_plural: str
    """Its plural, where that is not the singular with an s: entries."""
    public: bool
    """False for a job that no client can start."""
    search_keys: tuple[str, ...]
    """Payload fields that jobs can be found by (a list by each of its items)."""
    personal: frozenset[str]
    """Payload fields that are masked wherever a viewer reads."""
    accepts: Callable[[Any, Any], Awaitable[Any]] | None
    """`accepts(payload, checks)` may refuse a payload before it is queued (raising Refused). Returns its number of units."""
    after: str
    """Name of a job type: a job of this one follows each completed job of that one, in the same transaction."""
    follow: Callable[[Any], Payload | None] | None
    """`follow(finished)` makes the payload of a job that follows, from `Finished`; None where none is to follow."""
    mails: Callable[[Any, Any], Awaitable[int]] | None
    """`mails(payload, parts)` is the number of messages that a job sends, with those of the jobs that it starts: plans bound
    them. `parts.use(port)` is the implementation of a protocol of tasks/ports/."""
    limit: Mapping[str, int]
    """Jobs of the type that run at a time, for each value of a payload field (docs/flow-control.md). `owner` is the job's
    owner where the payload has no such field."""
    one_at_a_time: str | tuple[str, ...]
    """Payload fields for each value of which one job of the type runs at a time."""
    rate: Mapping[str, Rate]
    """Jobs of the type that begin within a period, for each value of a payload field: `{"owner": (60, "minute")}`."""


def job(queue: Queue | str, *, name: str | None = None, **options: Unpack[JobOptions]) -> Callable[[Function], JobType]:
    """Declare a coroutine `(payload, run) -> result` as a job type and register it under `name` (default: its own, dashed).

    Raises ValueError where the name is taken, or there is no such queue.
    """

    def register(function: Function) -> JobType:
        declared = JobType(
            name=name or function.__name__.replace("_", "-"),
            queue=_known(queue),
            payload=get_type_hints(function)["payload"],
            function=function,
            description=(function.__doc__ or "").strip(),
            **options,
        )
        if bool(declared.after) != bool(declared.follow):
            raise ValueError(f"the job type {declared.name} needs both after and follow, or neither")
        if declared.name in REGISTRY:
            other = REGISTRY[declared.name].function.__module__
            raise ValueError(f"the job type {declared.name} is taken by {other}")
        REGISTRY[declared.name] = declared
        return declared

    return register


def _known(queue: str) -> Queue:
    try:
        return Queue(queue)
    except ValueError:
        known = ", ".join(Queue)
        raise ValueError(f"there is no queue {queue[:80]}: declare it with queue(); there are {known}") from None
