"""An owner's part of the ledger, for the owner's page: today and yesterday."""

from collections.abc import Sequence
from dataclasses import dataclass

from dashboard.auth import User
from dashboard.fairness.views import queues_of, ranked
from service.lib.clock import now_ms
from service.monitoring.fairness.span import Span, read_span
from service.monitoring.fairness.totals import OwnerWait, Pair, added
from service.services import Services

SHOWN = 5


@dataclass(frozen=True)
class OwnerDay:
    """A day of an owner: its waiting, the owners that it waited for longest, and those that waited longest for it."""

    span: Span
    row: OwnerWait
    waited_for: Sequence[tuple[str, Pair]]
    cost: Sequence[tuple[str, Pair]]


async def owner_days(services: Services, user: User, owner: str) -> Sequence[OwnerDay]:
    """Today and yesterday (UTC), in the queues that the user sees."""
    today = read_span("", "", now_ms())
    return [await _day(services, user, owner, span) for span in (today, today.moved(-1))]


async def _day(services: Services, user: User, owner: str, span: Span) -> OwnerDay:
    found = await services.fairness.read(queues_of(user, services, ""), span.tier, span.number, span.number)
    pairs = ranked(found)
    return OwnerDay(
        span,
        added(list(found.values())).owner(owner),
        [one for one in pairs if one[1].waiter == owner][:SHOWN],
        [one for one in pairs if one[1].holder == owner][:SHOWN],
    )
