"""GET /admin/metrics: waits, runs and throughput by queue and task; the period is in the address."""

from typing import Any

from litestar import Request, get
from litestar.params import FromQuery
from litestar.response import Template

from dashboard.auth import User
from dashboard.dependencies import Trends
from dashboard.live import live_or_page
from dashboard.metrics.trends import PERIODS
from dashboard.rendering import render


@get(["/metrics", "/metrics/live"], name="metrics")
async def metrics_page(request: Request[User, Any, Any], trends: Trends, period: FromQuery[str] = "day") -> Template:
    """The page, and the fragment that keeps it fresh."""
    chosen = period if period in PERIODS else "day"
    return render(
        request,
        live_or_page(request, "metrics"),
        chosen=chosen,
        period=PERIODS[chosen],
        periods=PERIODS,
        trends=await trends[chosen](),
    )
