"""GET /admin/metrics: waits, runs and throughput by queue and task; the period is in the address."""

from typing import Any

from litestar import Request, get
from litestar.params import FromQuery
from litestar.response import Template

from dashboard.auth import User
from dashboard.metrics.trends import PERIODS
from dashboard.page import render
from dashboard.provided import Trends


@get("/metrics", name="metrics")
async def metrics_page(request: Request[User, Any, Any], trends: Trends, period: FromQuery[str] = "day") -> Template:
    chosen = period if period in PERIODS else "day"
    return render(
        request,
        "metrics/page.html",
        chosen=chosen,
        period=PERIODS[chosen],
        periods=PERIODS,
        trends=await trends[chosen](),
    )
