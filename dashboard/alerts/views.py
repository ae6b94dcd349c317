"""GET /admin/alerts: what fires, every rule with what it measures, and the history."""

from typing import Any

from litestar import Request, get
from litestar.params import FromQuery
from litestar.response import Template

from dashboard.alerts.firing import firing_of
from dashboard.auth import User
from dashboard.dependencies import Alerts, Before
from dashboard.durations import ENDS
from dashboard.flash_messages import NOTICES
from dashboard.live import live_or_page
from dashboard.rendering import render
from service.api.dependencies import ServicesDep

HISTORY_SHOWN = 100

STATES = {
    "firing": ("health-bad", "failed"),
    "pending": ("health-watch", "warning"),
    "quiet": ("health-good", "completed"),
}
EVENTS = {
    "fired": ("health-bad", "failed"),
    "resolved": ("health-good", "completed"),
    "muted": ("state-cancelled", "pause"),
    "unmuted": ("state-cancelled", "next"),
    "tried": ("state-cancelled", "next"),
}
"""Tone and icon of a rule's states, and of what the history tells."""


@get(["/alerts", "/alerts/live"], name="alerts")
async def alerts_page(
    request: Request[User, Any, Any], services: ServicesDep, changed_before: Before, notice: FromQuery[str] = ""
) -> Template:
    """The page, and the fragment that keeps it fresh."""
    alerts = services.alerts
    rules = await alerts.rules()
    return render(
        request,
        live_or_page(request, "alerts"),
        firing=[firing_of(rule, one) for rule, one in await alerts.firing()],
        before=await changed_before(),
        muted={state.rule.name for state in rules if state.mute},
        rules=rules,
        history=await alerts.history(HISTORY_SHOWN),
        channels=await alerts.outbox.channels(),
        ends={key: end for key, end in ENDS.items() if end[1] is not None},
        states=STATES,
        events=EVENTS,
        notice=NOTICES.get(notice),
    )


@get("/alerts/count")
async def alerts_count(request: Request[User, Any, Any], alerts: Alerts) -> Template:
    """Active alerts as the navigation counts them."""
    return render(request, "alerts/count.html", firing_count=len(await alerts()))
