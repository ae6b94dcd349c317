"""GET /api/usage: what an owner uses, beside its limits."""

from datetime import UTC, datetime

import msgspec
from litestar import Router, get

from service.api.dependencies import Owner, Wired
from service.api.openapi import refusals
from service.documents.totals import kept_by
from service.engine.job_status import rfc3339
from service.engine.schedules.owned import PER_OWNER as SCHEDULES_MAX
from service.engine.states import State
from service.lib.clock import now_ms
from service.webhooks.rows import PER_OWNER as WEBHOOKS_MAX


class Use(msgspec.Struct):
    """Present use, and its bound; None where there is none."""

    used: int
    limit: int | None


class UsageBody(msgspec.Struct):
    """`limits` of requests are per request: the bytes of a file, the pages of a document."""

    owner: str
    since: str | None
    """Beginning of the month (UTC), from which `pages_uploaded` counts."""
    jobs_waiting: Use
    jobs_running: Use
    documents: Use
    stored_bytes: Use
    pages_uploaded: Use
    schedules: Use
    webhooks: Use
    file_bytes_max: int
    document_pages_max: int


@get("/", responses=refusals(), summary="The owner's use beside its limits")
async def read_usage(services: Wired, owner: Owner) -> UsageBody:
    """`jobs_waiting` over its limit answers further requests with 429; the limit is the lowest of any queue's."""
    now = datetime.fromtimestamp(now_ms() / 1000, UTC)
    month = now.replace(day=1, hour=0, minute=0, second=0, microsecond=0)
    states = await services.store.counts_of_owner(owner)
    kept = await kept_by(services.database, owner, month)
    settings = services.settings
    return UsageBody(
        owner=owner,
        since=rfc3339(int(month.timestamp() * 1000)),
        jobs_waiting=Use(
            sum(number for state, number in states.items() if state.waiting),
            min(queue.owner_limit for queue in settings.queues.values()),
        ),
        jobs_running=Use(states[State.ACTIVE], None),
        documents=Use(kept.documents, None),
        stored_bytes=Use(kept.bytes, None),
        pages_uploaded=Use(kept.pages, None),
        schedules=Use(len(await services.schedules.owned.of(owner)), SCHEDULES_MAX),
        webhooks=Use(len(await services.webhooks.rows.list(owner)), WEBHOOKS_MAX),
        file_bytes_max=settings.max_upload_bytes,
        document_pages_max=settings.max_pages,
    )


routes = Router("/usage", route_handlers=[read_usage], tags=["usage"])
