"""GET /admin/webhooks: every owner's webhooks with how they fare, and the log of what was sent."""

from typing import Any
from urllib.parse import urlencode

from litestar import Request, get
from litestar.params import FromQuery
from litestar.response import Template

from dashboard.auth import User
from dashboard.flash_messages import NOTICES
from dashboard.jobs.masking import origin_of
from dashboard.live import live_or_page
from dashboard.rendering import render
from service.api.dependencies import ServicesDep
from service.database import Webhook
from service.webhooks.rows import subscribed

PAGE_ROWS = 50

STATES = {
    "delivered": ("state-completed", "completed"),
    "failed": ("state-failed", "failed"),
    "pending": ("state-retrying", "retrying"),
}
"""Tone and icon of a delivery's states."""


@get(["/webhooks", "/webhooks/live"], name="webhooks")
async def webhooks_page(
    request: Request[User, Any, Any],
    services: ServicesDep,
    webhook: FromQuery[str] = "",
    job: FromQuery[str] = "",
    before: FromQuery[str] = "",
    notice: FromQuery[str] = "",
) -> Template:
    """The page, and the fragment that keeps it fresh. `webhook` or `job` bounds the log to a single one's."""
    rows = services.webhooks.rows
    if webhook:
        await rows.get(webhook)
    deliveries = await rows.deliveries(webhook or None, limit=PAGE_ROWS + 1, before=before or None, job_id=job or None)
    return render(
        request,
        live_or_page(request, "webhooks"),
        webhooks=[(one, subscribed(one), *_condition(one)) for one in await rows.list()],
        deliveries=deliveries[:PAGE_ROWS],
        query=urlencode({"webhook": webhook} if webhook else {"job": job} if job else {}),
        before=before,
        older=deliveries[PAGE_ROWS - 1].delivery_id if len(deliveries) > PAGE_ROWS else None,
        states=STATES,
        shown=lambda url: url if request.user.sees_personal else origin_of(url),
        notice=NOTICES.get(notice),
    )


def _condition(row: Webhook) -> tuple[str, str, str]:
    """Tone, icon and word of how a webhook fares."""
    if row.disabled_at:
        return "state-failed", "failed", "Disabled"
    if row.failing_since:
        return "health-watch", "warning", "Failing"
    return ("health-good", "completed", "Working") if row.delivered_at else ("state-cancelled", "queued", "Unused")
