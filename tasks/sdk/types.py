"""Types of a job's declaration and of its parts: `Payload`, `Meter`, `JobType`, `PartResult` and the `REGISTRY`."""

import re
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

import msgspec

from settings.amounts import counted
from settings.queues import Queue
from tasks.sdk.errors import EventTimedOut, Permanent
from tasks.sdk.limits import KeyLimit, Rate, key_limits


class Payload(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True, omit_defaults=True):
    """Body that a client sends to start a job: typed, stored as JSON, never pickled.

    What has its default is not stored: else a new field would keep every worker of the release before from reading it.
    """


@dataclass(frozen=True)
class Meter:
    """Maps units of work to a progress bar: `low` + share × (`high` − `low`) per cent, with a message a person can read.

    `message` may name {done}, {total} and {percent}; `done_key` and `total_key` are the counts' names in the status data.
    """

    message: str
    done_key: str
    total_key: str
    low: int = 0
    high: int = 100

    def at(self, done: int, total: int) -> tuple[int, str]:
        """The per cent of the bar, and the message, once `done` of `total` units are done."""
        percent = int(self.low + (self.high - self.low) * done / max(total, 1))
        return percent, self.message.format(done=f"{done:,}", total=f"{total:,}", percent=percent)


@dataclass(frozen=True)
class JobType:
    """A declared job: its name, where it runs and how it is bounded. `units` counts a payload's work for estimates."""

    name: str
    queue: Queue
    payload: type[Payload]
    function: Callable[..., Awaitable[Any]]
    retries: int | None = None
    timeout_s: float | None = None
    backoff_s: float = 1.0
    backoff_max_s: float = 300.0
    expected_s: float = 1.0
    expected_unit_s: float = 0.0
    first_use_s: float = 0.0
    unit: str = "unit"
    public: bool = True
    description: str = ""
    search_keys: tuple[str, ...] = ()
    personal: frozenset[str] = frozenset()
    accepts: Callable[[Any, Any], Awaitable[Any]] | None = None
    after: str = ""
    follow: Callable[[Any], Payload | None] | None = None
    mails: Callable[[Any, Any], Awaitable[int]] | None = None
    limit: Mapping[str, int] = field(default_factory=dict, hash=False)
    one_at_a_time: str | tuple[str, ...] = ()
    rate: Mapping[str, Rate] = field(default_factory=dict, hash=False)
    unit_plural: str = ""
    limits: tuple[KeyLimit, ...] = field(init=False, default=())

    def __post_init__(self) -> None:
        fields = self.payload.__struct_fields__
        object.__setattr__(self, "limits", key_limits(fields, self.limit, self.one_at_a_time, self.rate))

    def counted(self, units: int) -> str:
        """Units in words, such as 1 page or 1,200 pages."""
        return counted(units, self.unit, self.unit_plural)


@dataclass(frozen=True)
class PartResult:
    """Result of one part: `result` where it completed, `error` where it did not."""

    number: int
    status: str
    result: Any = None
    error: str | None = None
    payload: Any = field(default=None, repr=False)


INCOMPLETE = "Completed, "
"""Beginning of the message of a job that completed without all that was asked for. Lists mark such a job."""


INCOMPLETE_TAGS = ("incomplete",)
"""Tags of such a job, by which it is found."""


def incomplete(*lacking: str) -> str:
    """Summary of a result that names what is lacking; empty where nothing is."""
    return INCOMPLETE + ", ".join(lacking) if lacking else ""


REGISTRY: dict[str, JobType] = {}


SERVICE = re.compile(r"[a-z][a-z0-9]*(-[a-z0-9]+)*")
SERVICE_MAX = 40


def check_service(name: str) -> None:
    """Raises ValueError for a name that no external service can have, and no setting could name."""
    if not SERVICE.fullmatch(name) or len(name) > SERVICE_MAX:
        raise ValueError(f"a service has small letters, digits and dashes, {SERVICE_MAX} at most, not {name[:80]!r}")


EVENT_NAME = re.compile(r"[A-Za-z][A-Za-z0-9_.-]{0,59}")
"""Names of events: they stand in addresses."""

EVENT_WAIT_MAX_S = 366 * 86_400.0


def check_wait(job_id: str, *, is_part: bool, event: str, timeout_s: float) -> None:
    """Raises Permanent for a wait that makes no sense: within a part, under a name that no address can have, without end.

    `timeout_s` is above 0 and at most EVENT_WAIT_MAX_S seconds.
    """
    if is_part:
        raise Permanent(f"{job_id} is a part of a job: the job itself can wait for an event, a part cannot.")
    if not EVENT_NAME.fullmatch(event):
        raise Permanent(f"An event's name is a letter and up to 59 letters, digits, _, . and -, not {event[:80]!r}.")
    if not 0 < timeout_s <= EVENT_WAIT_MAX_S:
        raise Permanent(f"An event is waited for between 0 and {EVENT_WAIT_MAX_S:,.0f} s, not {timeout_s} s.")


def event_timed_out(event: str, timeout_s: float) -> EventTimedOut:
    """The error of a job whose event did not come."""
    return EventTimedOut(f"The event {event} did not come within {timeout_s:,.10g} s.")


def check_parts(job_id: str, *, is_part: bool, job: JobType) -> None:
    """Raises Permanent for parts whose files would lie under the wrong job.

    A part keeps its files with its parent, so two parts that write files of their own would overwrite each other's, and
    the parts of a part would keep theirs where no task reads them.
    """
    if is_part:
        raise Permanent(
            f"{job_id} is a part of a job and cannot have parts of its own; start {job.name} with run.then()."
        )
    if job.public:
        raise Permanent(
            f"{job.name} cannot be a part: it is a job in its own right and writes its own files. "
            "Start it with run.then() and read its files with run.artefact_of(), or declare a job with public=False."
        )
