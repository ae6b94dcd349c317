"""GET /api/usage: the owner's use and its limits."""

from datetime import UTC, datetime

import msgspec
from litestar import Router, get

from service.api.dependencies import Owner, ServicesDep
from service.api.openapi import refusals
from service.engine.job_status import rfc3339
from service.engine.schedules.owned import PER_OWNER as SCHEDULES_MAX
from service.lib.clock import now_ms
from service.webhooks.rows import PER_OWNER as WEBHOOKS_MAX


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


routes = Router("/usage", route_handlers=[read_usage], tags=["usage"])
