"""GET /admin/metrics/weeks: the weekly report as a page, and the weeks before it."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from typing import Any

from litestar import Request, get
from litestar.params import FromQuery
from litestar.response import Template

from dashboard.auth import User
from dashboard.metrics.trends import PERIODS
from dashboard.rendering import render
from service.api.dependencies import ServicesDep
from service.monitoring.metrics import QueueWeek, WeekReport
from service.monitoring.weekly_report import change, points

WEEKS_SHOWN = 13
"""A quarter: what one compares a week with. Days are kept for longer, and the metrics of a month show those."""


@dataclass(frozen=True)
class Sum:
    """All queues of a week together. Rates from 0 to 1; None where nothing ended."""

    jobs: int
    success_rate: float | None
    messages: int
    delivery_rate: float | None


@get("/metrics/weeks")
async def weeks_page(request: Request[User, Any, Any], services: ServicesDep, week: FromQuery[str] = "") -> Template:
    """The report of the week that began on the Monday `week`; default, and where it is not kept: the last whole one."""
    reports = await services.metrics.weeks(WEEKS_SHOWN)
    shown = next((report for report in reports if report.first_day == week), reports[0])
    return render(
        request,
        "metrics/weeks.html",
        report=shown,
        lines=list(zip(shown.queues, shown.before, strict=True)),
        weeks=[(report, summed(report.queues)) for report in reports],
        title=words(shown),
        periods=PERIODS,
        chosen="weeks",
        words=words,
        change=change,
        points=points,
    )


def summed(lines: Sequence[QueueWeek]) -> Sum:
    """The bottom line of a week."""
    jobs, messages = sum(line.jobs for line in lines), sum(line.messages or 0 for line in lines)
    good = sum(line.jobs * (line.success_rate or 0) for line in lines)
    delivered = sum((line.messages or 0) * (line.delivery_rate or 0) for line in lines)
    return Sum(jobs, good / jobs if jobs else None, messages, delivered / messages if messages else None)


def words(report: WeekReport) -> str:
    """A week as one says it: 9 to 15 November 2026, 30 November to 6 December 2026."""
    first, last = date.fromisoformat(report.first_day), date.fromisoformat(report.last_day)
    begin = f"{first.day}" if first.month == last.month else f"{first.day} {first:%B}"
    year = f" {first.year}" if first.year != last.year else ""
    return f"{begin}{year} to {last.day} {last:%B} {last.year}"
