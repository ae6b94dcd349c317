"""`Moment`: who waits in a queue and whose jobs its slots run; and for whom each waiting owner waits then.

An owner waits while at least one of its jobs could begin: it is the owner's first such job that waits for a slot, those behind it
wait for it. So an owner waits at most one second per second, and an import of 300 jobs does not make its own wait look 300 times
as long. The second is divided over the slots of the queue: a slot that runs a job charges its owner, a free one charges no owner.
"""

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from enum import StrEnum
from typing import NamedTuple


class Reason(StrEnum):
    """Cause of a wait that is not for an owner."""

    PAUSED = "paused"
    """An operator, or an absent part, paused the queue."""
    BREAKER = "breaker"
    """The queue's breaker is open."""
    NO_WORKER = "no-worker"
    """No worker takes jobs of the queue, and none runs any."""
    LIMIT = "limit"
    """Each job of the owner that could begin waits for a key of its limits."""
    FREE = "free"
    """A slot was free: between two jobs, for want of memory, by a rate of the queue, or where its worker cannot run the job."""


class Charge(NamedTuple):
    """Key of an amount. `waiter` None: owners that are not listed by name. `holder` empty: not for an owner."""

    waiter: str | None
    holder: str | None
    what: str
    """Job type of the holder, or the Reason where there is no holder."""


@dataclass(frozen=True)
class Moment:
    """A queue at one time."""

    waiting: frozenset[str] = frozenset()
    """Owners with a job that waits for its turn."""
    limited: frozenset[str] = frozenset()
    """Owners with a job that waits for a key of its limits."""
    running: Sequence[tuple[str, str]] = ()
    """Owner and job type of each slot that runs a job."""
    slots: int = 0
    """Slots that the queue has, as far as is known; at least as many as run jobs."""
    held: Reason | None = None
    """Cause why no job begins at all."""
    unread: bool = field(default=False, compare=False)
    """True where more jobs wait than were read: owners behind these are not seen."""

    @property
    def reason(self) -> Reason | None:
        """Cause for which no owner answers."""
        return self.held or (Reason.NO_WORKER if not self.running and not self.slots else None)


def charges(moment: Moment, span_us: int) -> Iterator[tuple[Charge, int]]:
    """Amounts (µs) of `span_us` in this state. Those of each waiting owner add up to `span_us` exactly."""
    shares = _shares(moment, span_us)
    for owner in sorted(moment.waiting):
        for (holder, what), amount in shares.items():
            yield Charge(owner, holder, what), amount
    for owner in sorted(moment.limited - moment.waiting):
        yield Charge(owner, "", Reason.LIMIT), span_us


def _shares(moment: Moment, span_us: int) -> Mapping[tuple[str, str], int]:
    if moment.reason is not None:
        return {("", moment.reason): span_us}
    slots = max(moment.slots, len(moment.running))
    held = Counter(moment.running)
    shares = {key: span_us * number // slots for key, number in held.items()}
    if slots > len(moment.running):
        shares["", Reason.FREE] = span_us * (slots - len(moment.running)) // slots
    # What rounding has left over, a few µs, goes to the first: nothing may be lost.
    shares[next(iter(shares))] += span_us - sum(shares.values())
    return shares
