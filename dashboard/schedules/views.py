"""GET /admin/schedules: the clock's jobs, in plain words, with their next runs."""

from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from litestar import Request, get
from litestar.response import Template

from dashboard.auth import User
from dashboard.page import render
from settings.schedule import SCHEDULES, Schedule


@dataclass(frozen=True)
class Planned:
    """A schedule and when it runs next (milliseconds since the epoch); None where its declaration cannot be read."""

    schedule: Schedule
    next_ms: int | None


@get("/schedules", name="schedules")
async def schedules_page(request: Request[User, Any, Any]) -> Template:
    return render(request, "schedules/page.html", planned=[_planned(schedule) for schedule in SCHEDULES])


def _planned(schedule: Schedule) -> Planned:
    if schedule.problem:
        return Planned(schedule, None)
    return Planned(schedule, int(schedule.next_after(datetime.now(UTC)).timestamp() * 1000))
