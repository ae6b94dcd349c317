"""GET /admin/schedules: the clock's jobs in plain words, with how they went and when they run next."""

from typing import Any

from litestar import Request, get
from litestar.params import FromQuery
from litestar.response import Template

from dashboard.auth import User
from dashboard.durations import ENDS
from dashboard.flash_messages import NOTICES
from dashboard.live import live_or_page
from dashboard.rendering import render
from dashboard.schedules.cron_words import schedule_words
from service.api.dependencies import ServicesDep

OUTCOMES = {
    "skipped": ("state-cancelled", "cancelled"),
    "missed": ("state-failed", "warning"),
    "gone": ("state-cancelled", "trash"),
}
"""Tone and icon of the outcome of a slot that has no job (any more)."""


@get(["/schedules", "/schedules/live"], name="schedules")
async def schedules_page(
    request: Request[User, Any, Any], services: ServicesDep, notice: FromQuery[str] = ""
) -> Template:
    """The page, and the fragment that keeps it fresh."""
    return render(
        request,
        live_or_page(request, "schedules"),
        schedules=await services.schedules.list(),
        schedule_words=schedule_words,
        ends=ENDS,
        outcomes=OUTCOMES,
        notice=NOTICES.get(notice),
    )
