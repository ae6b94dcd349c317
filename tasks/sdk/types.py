"""Types of a job's declaration and of its parts: `Payload`, `Meter`, `JobType`, `PartResult` and the `REGISTRY`."""

from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from typing import Any

import msgspec

from settings.queues import Queue


class Payload(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """What a client sends to start a job: typed, stored as JSON, never pickled."""


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

    def counted(self, units: int) -> str:
        """Units in words, such as 1 page or 1,200 pages."""
        return f"{units:,} {self.unit}{'' if units == 1 else 's'}"


@dataclass(frozen=True)
class PartResult:
    """Result of one part: `result` where it completed, `error` where it did not."""

    number: int
    status: str
    result: Any = None
    error: str | None = None
    payload: Any = field(default=None, repr=False)


REGISTRY: dict[str, JobType] = {}
