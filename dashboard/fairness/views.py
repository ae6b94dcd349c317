"""GET /admin/fairness: who waited for whom in a day or an hour, as a page and as CSV."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from litestar import Request, Response, get
from litestar.exceptions import PermissionDeniedException
from litestar.params import FromQuery
from litestar.response import Template

from dashboard.auth import User
from dashboard.list_urls import list_address
from dashboard.rendering import UNSTORED, render
from service.api.dependencies import ServicesDep
from service.lib.clock import now_ms
from service.monitoring.fairness.csv_file import fairness_csv
from service.monitoring.fairness.keys import DAYS_KEPT_S, HOURS_KEPT_S
from service.monitoring.fairness.span import HOURS, Span, read_span
from service.monitoring.fairness.totals import OwnerWait, Pair, Totals, added
from service.services import Services
from tasks.sdk.errors import Refused

PATH = "/admin/fairness"

PAIRS_SHOWN = 50
OWNERS_SHOWN = 100

APART = ("free", "limit", "paused", "breaker", "no-worker")
"""Reasons in the order of the columns."""


@dataclass(frozen=True)
class Shown:
    """A span of the ledger as the page shows it."""

    span: Span
    at_ms: int

    @property
    def kept(self) -> bool:
        """False where the hashes of the span have expired."""
        kept_s = DAYS_KEPT_S if self.span.hour is None else HOURS_KEPT_S
        return self.span.begin_ms + self.span.length_ms > self.at_ms - kept_s * 1000

    @property
    def past_ms(self) -> int:
        """So much of it is over."""
        return max(0, min(self.span.length_ms, self.at_ms - self.span.begin_ms))

    @property
    def present(self) -> bool:
        """True while it lasts."""
        return self.past_ms < self.span.length_ms


def queues_of(user: User, services: Services, queue: str) -> Sequence[str]:
    """Queues that a user of some queues sees, or the one that is asked for. Raises Refused (400), PermissionDenied (403)."""
    known = [str(one) for one in services.settings.queues]
    if queue and queue not in known:
        raise Refused(f"There is no queue {queue[:60]!r}: there are {', '.join(known)}.", field="queue")
    seen = [one for one in known if not user.queues or one in user.queues]
    if queue and queue not in seen:
        raise PermissionDeniedException(f"{user.name} sees the waits in {', '.join(user.queues)} only.")
    return [queue] if queue else seen


@get("/fairness", name="fairness")
async def fairness_page(
    request: Request[User, Any, Any],
    services: ServicesDep,
    queue: FromQuery[str] = "",
    day: FromQuery[str] = "",
    hour: FromQuery[str] = "",
) -> Template:
    """The page; of today where no day is asked for."""
    shown = Shown(read_span(day, hour, now_ms()), now_ms())
    by_queue = await _read(services, queues_of(request.user, services, queue), shown.span)
    whole = added(list(by_queue.values()))
    pairs = ranked(by_queue)
    owners = whole.owners()
    return render(
        request,
        "fairness/page.html",
        shown=shown,
        queue=queue,
        queues=queues_of(request.user, services, ""),
        hours=range(HOURS),
        pairs=pairs[:PAIRS_SHOWN],
        pairs_left=max(0, len(pairs) - PAIRS_SHOWN),
        longest_us=pairs[0][1].us if pairs else 0,
        owners=owners[:OWNERS_SHOWN],
        owners_left=max(0, len(owners) - OWNERS_SHOWN),
        total=total(owners),
        apart=APART,
        watched_us=max((one.seen_us for one in by_queue.values()), default=0),
        unread_us=max((one.unread_us for one in by_queue.values()), default=0),
        before=_address(shown.span.moved(-1), queue),
        following=_address(shown.span.moved(1), queue) if shown.span.moved(1).begin_ms <= shown.at_ms else None,
        csv=_address(shown.span, queue, f"{PATH}.csv"),
    )


@get("/fairness.csv", name="fairness-csv")
async def fairness_csv_file(
    request: Request[User, Any, Any],
    services: ServicesDep,
    queue: FromQuery[str] = "",
    day: FromQuery[str] = "",
    hour: FromQuery[str] = "",
) -> Response[str]:
    """The same as CSV, a line for each amount."""
    span = read_span(day, hour, now_ms())
    found = await _read(services, queues_of(request.user, services, queue), span)
    name = f"fairness-{span.day}" + ("" if span.hour is None else f"-{span.hour:02}")
    headers = {**UNSTORED, "Content-Disposition": f'attachment; filename="{name}.csv"'}
    return Response(fairness_csv(found), media_type="text/csv", headers=headers)


async def _read(services: Services, queues: Sequence[str], span: Span) -> dict[str, Totals]:
    return await services.fairness.read(queues, span.tier, span.number, span.number)


def ranked(by_queue: dict[str, Totals]) -> list[tuple[str, Pair]]:
    """Queue and pair, the longest wait first."""
    pairs = [(queue, pair) for queue, totals in by_queue.items() for pair in totals.pairs()]
    return sorted(pairs, key=lambda one: -one[1].us)


def total(owners: Sequence[OwnerWait]) -> OwnerWait:
    """All rows added up."""
    whole = OwnerWait(None)
    for one in owners:
        whole.others += one.others
        whole.itself += one.itself
        whole.caused += one.caused
        whole.apart += one.apart
    return whole


def _address(span: Span, queue: str, path: str = PATH) -> str:
    hour = "" if span.hour is None else str(span.hour)
    return list_address(path, {"queue": queue, "day": span.day.isoformat(), "hour": hour})
