"""One job of the model."""

from dataclasses import dataclass, field

WAITING = ("queued", "scheduled", "retrying")
ENDED = ("completed", "failed", "cancelled", "expired")


CYCLE_MS = 1 << 20


def leases_given(fence: int) -> int:
    """Number of leases of a job, of which its fence is (docs/states.md)."""
    return fence // CYCLE_MS


def next_fence(fence: int, at_ms: int) -> int:
    """The fence of a lease given at that time."""
    return (leases_given(fence) + 1) * CYCLE_MS + at_ms % CYCLE_MS


@dataclass(eq=False)
class Entry:
    """One job. Times in ms since the epoch."""

    id: str
    queue: str
    type: str
    owner: str
    cost: int
    retries: int
    created: int
    due: int = 0
    not_after: int | None = None
    limits: tuple[tuple[str, int, int, int], ...] = ()
    """(key, how many at a time, how many starts, in how many ms); 0 for no bound."""
    state: str = ""
    parent: "Entry | None" = None
    parts: list["Entry"] = field(default_factory=list)
    attempt: int = 0
    tries_base: int = 0
    crashes: int = 0
    fence: int = 0
    lease_until: int = 0
    """End of the lease; 0 without one."""
    first_started: int = 0
    resumes: bool = False
    cancel: bool = False
    deleted: bool = False
    redo: bool = False
    wanted_again: bool = False
    next_check: int = 0
    asks: str = ""
    """Event that it asked for."""
    events: dict[str, str] = field(default_factory=dict)
    until: dict[str, int] = field(default_factory=dict)
    after: list["Entry"] = field(default_factory=list)
    """Jobs before it, of its workflow, that have not released it."""
    followers: list["Entry"] = field(default_factory=list)
    goes_on: bool = False
    released: bool = False

    @property
    def top(self) -> "Entry":
        return self.parent or self
