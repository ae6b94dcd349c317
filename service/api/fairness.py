"""GET /api/fairness: how long the owner's jobs waited for a slot, and for whom."""

import csv
import io

import msgspec
from litestar import Response, Router, get
from litestar.openapi.datastructures import ResponseSpec
from litestar.params import FromQuery

from service.api.dependencies import Owner, ServicesDep
from service.api.openapi import refusals
from service.lib.clock import now_ms
from service.monitoring.fairness import Reason
from service.monitoring.fairness.span import Span, read_span
from service.monitoring.fairness.totals import OwnerWait
from service.services import Services


class WaitBody(msgspec.Struct):
    """Waiting of the owner in one queue, in seconds. All but `cost_others` add up to `waited`."""

    queue: str
    waited: float
    """Time in which a job of the owner could begin and waited for a slot."""
    for_others: float
    """For slots that ran jobs of other owners."""
    for_itself: float
    """For slots that ran the owner's own jobs."""
    paused: float
    breaker: float
    """The queue's breaker was open."""
    no_worker: float
    limit: float
    """For a key of the jobs' limits."""
    free: float
    """Slots were free: between two jobs, for want of memory, or by a rate of the queue."""
    cost_others: float
    """Time that other owners waited for slots that ran the owner's jobs, added up over them."""


COLUMNS = WaitBody.__struct_fields__


class FairnessBody(msgspec.Struct):
    """Queues in which the owner waited, or others for it."""

    owner: str
    day: str
    hour: int | None
    """None: the whole day (UTC)."""
    queues: list[WaitBody]


@get("/fairness", responses=refusals(400), summary="For whom the owner's jobs waited")
async def read_fairness(
    services: ServicesDep, owner: Owner, day: FromQuery[str] = "", hour: FromQuery[str] = ""
) -> FairnessBody:
    """Today (UTC), or `day` such as 2026-11-29, of which `hour` names one hour. Days are kept for 35 days, hours for three.
    The numbers may lag by ten seconds. Other owners are not named."""
    span = read_span(day, hour, now_ms())
    return FairnessBody(owner, span.day.isoformat(), span.hour, await _waits(services, owner, span))


@get(
    "/fairness.csv",
    responses=refusals(400) | {200: ResponseSpec(str, media_type="text/csv", description="A line for each queue.")},
    media_type="text/csv",
    summary="The same as CSV",
)
async def read_fairness_csv(
    services: ServicesDep, owner: Owner, day: FromQuery[str] = "", hour: FromQuery[str] = ""
) -> Response[str]:
    """With a header line."""
    file = io.StringIO(newline="")
    writer = csv.writer(file)
    writer.writerow(COLUMNS)
    for row in await _waits(services, owner, read_span(day, hour, now_ms())):
        writer.writerow([getattr(row, column) for column in COLUMNS])
    headers = {"Content-Disposition": 'attachment; filename="fairness.csv"'}
    return Response(file.getvalue(), media_type="text/csv", headers=headers)


async def _waits(services: Services, owner: str, span: Span) -> list[WaitBody]:
    queues = [str(queue) for queue in services.settings.queues]
    found = await services.fairness.read(queues, span.tier, span.number, span.number)
    rows = [(queue, totals.owner(owner)) for queue, totals in found.items()]
    return [_body(queue, row) for queue, row in rows if row.waited or row.caused]


def _body(queue: str, row: OwnerWait) -> WaitBody:
    amounts = [row.waited, row.others, row.itself, *(row.apart[reason] for reason in APART), row.caused]
    return WaitBody(queue, *(round(us / 1_000_000, 3) for us in amounts))


APART = (Reason.PAUSED, Reason.BREAKER, Reason.NO_WORKER, Reason.LIMIT, Reason.FREE)
"""In the order of the fields."""

routes = Router("/", route_handlers=[read_fairness, read_fairness_csv], tags=["usage"])
