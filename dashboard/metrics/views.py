"""GET /admin/metrics: waits, runs and throughput by queue and task; the period is in the address."""

from typing import Any

from litestar import Request, get
from litestar.params import FromQuery
from litestar.response import Template

from dashboard.auth import User
from dashboard.dependencies import Trends
from dashboard.flash_messages import NOTICES
from dashboard.live import live_or_page
from dashboard.metrics.trends import PERIODS
from dashboard.rendering import render
from service.api.dependencies import ServicesDep
from service.lib.clock import now_ms


@get(["/metrics", "/metrics/live"], name="metrics")
async def metrics_page(
    request: Request[User, Any, Any],
    services: ServicesDep,
    trends: Trends,
    period: FromQuery[str] = "day",
    notice: FromQuery[str] = "",
) -> Template:
    """The page, and the fragment that keeps it fresh."""
    chosen = period if period in PERIODS else "day"
    first_ms, last_ms = PERIODS[chosen].shown_ms(now_ms())
    return render(
        request,
        live_or_page(request, "metrics"),
        chosen=chosen,
        period=PERIODS[chosen],
        periods=PERIODS,
        first_ms=first_ms,
        last_ms=last_ms,
        deploys=await services.changes.deploys.between(first_ms, last_ms),
        notice=NOTICES.get(notice),
        trends=await trends[chosen](),
    )
