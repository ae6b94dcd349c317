"""GET /api/usage: the owner's use and its limits; and what it has used month by month, as JSON or CSV."""

from datetime import UTC, datetime

import msgspec
from litestar import Response, Router, get
from litestar.openapi.datastructures import ResponseSpec
from litestar.params import FromQuery

from service.api.dependencies import Owner, ServicesDep
from service.api.openapi import refusals
from service.engine.job_status import rfc3339
from service.engine.schedules.owned import PER_OWNER as SCHEDULES_MAX
from service.lib.clock import now_ms
from service.monitoring.metering import MonthUse
from service.monitoring.usage_csv import COLUMNS, checked_month, usage_csv
from service.services import Services
from service.webhooks.rows import PER_OWNER as WEBHOOKS_MAX

MONTHS = 12
"""Months that are listed where none is asked for."""


class Use(msgspec.Struct):
    """Present use, and its bound. `limit` None: nothing bounds it; `used` None: without a bound it is not counted."""

    used: int | None
    limit: int | None


class UsageBody(msgspec.Struct):
    """`plan` is the owner's plan. `file_bytes_max` and `document_pages_max` bound each upload."""

    owner: str
    plan: str
    priority: str
    """The highest that its jobs may have."""
    weight: float
    """Share of a busy queue relative to other owners."""
    since: str | None
    """Beginning of the month (UTC), from which `pages_uploaded` counts."""
    jobs_waiting: Use
    jobs_running: Use
    requests: Use
    """Requests within a minute."""
    mails: Use
    """Messages within an hour."""
    documents: Use
    stored_bytes: Use
    pages_uploaded: Use
    schedules: Use
    webhooks: Use
    file_bytes_max: int
    document_pages_max: int


@get("/", responses=refusals(), summary="The owner's use and its limits")
async def read_usage(services: ServicesDep, owner: Owner) -> UsageBody:
    """A request over its limit is refused with 429; the limit of `jobs_waiting` is the lowest of the plan's and any queue's."""
    now = datetime.fromtimestamp(now_ms() / 1000, UTC)
    month = now.replace(day=1, hour=0, minute=0, second=0, microsecond=0)
    use = await services.owner_usage.of(owner)
    settings, values = services.settings, use.limits.values
    return UsageBody(
        owner=owner,
        plan=use.limits.plan,
        priority=values.priority,
        weight=values.weight,
        since=rfc3339(int(month.timestamp() * 1000)),
        jobs_waiting=Use(use.waiting, use.waiting_max),
        jobs_running=Use(use.running, None),
        requests=Use(use.requests, values.requests_per_minute),
        mails=Use(use.mails, values.mails_per_hour),
        documents=Use(use.documents, None),
        stored_bytes=Use(use.bytes, values.stored_bytes),
        pages_uploaded=Use(use.pages, values.pages_per_month),
        schedules=Use(len(await services.schedules.owned.of(owner)), SCHEDULES_MAX),
        webhooks=Use(len(await services.webhooks.rows.list(owner)), WEBHOOKS_MAX),
        file_bytes_max=settings.max_upload_bytes,
        document_pages_max=settings.max_pages,
    )


class MonthBody(msgspec.Struct):
    """Metered use of a calendar month (UTC). A number of the present month may lag by ten seconds."""

    month: str
    jobs: int
    """Completed; their parts are not counted."""
    pages_uploaded: int
    """The number that `pages_per_month` of a plan bounds."""
    pages_read: int
    """Delivered by completed jobs, each once, however often a job was tried."""
    cpu_seconds: float
    """As spent: attempts that failed count too."""
    mails: int
    """Accepted by the mail server."""
    video_minutes: float
    """Length of the videos that were made into formats."""
    stored_byte_days: int
    """Bytes of documents × days that they were kept; the same bytes count once."""


class MonthsBody(msgspec.Struct):
    """Months with any use, newest first."""

    owner: str
    months: list[MonthBody]


@get("/months", responses=refusals(400), summary="The owner's metered use by month")
async def read_months(services: ServicesDep, owner: Owner, month: FromQuery[str] = "") -> MonthsBody:
    """The last 12 months; with `month`, such as 2026-11, that one alone. For bills: `/api/usage/months.csv` has the same."""
    rows = await _months(services, owner, month)
    columns = [column for column in COLUMNS if column != "owner"]
    return MonthsBody(owner, [MonthBody(*(getattr(row, column) for column in columns)) for row in rows])


@get(
    "/months.csv",
    responses=refusals(400) | {200: ResponseSpec(str, media_type="text/csv", description="A line for each month.")},
    media_type="text/csv",
    summary="The same as CSV",
)
async def read_months_csv(services: ServicesDep, owner: Owner, month: FromQuery[str] = "") -> Response[str]:
    """With a header line, newest month first."""
    headers = {"Content-Disposition": 'attachment; filename="usage.csv"'}
    rows = await _months(services, owner, month)
    return Response(usage_csv(rows), media_type="text/csv", headers=headers)


async def _months(services: Services, owner: str, month: str) -> list[MonthUse]:
    if month:
        return await services.metering.of_month(checked_month(month), [owner])
    return await services.metering.of_owner(owner, MONTHS)


routes = Router("/usage", route_handlers=[read_usage, read_months, read_months_csv], tags=["usage"])
