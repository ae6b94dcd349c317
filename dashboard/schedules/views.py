"""GET /admin/schedules: the clock's jobs, in plain words, with their next runs."""

from dataclasses import dataclass
from datetime import datetime
from typing import Any
from zoneinfo import ZoneInfo

from cronsim import CronSim
from litestar import Request, get
from litestar.response import Template

from dashboard.auth import User
from dashboard.page import render
from settings.schedule import SCHEDULES, Schedule


@dataclass(frozen=True)
class Planned:
    """A schedule, what it means, and when it runs next (milliseconds since the epoch)."""

    schedule: Schedule
    words: str
    next_ms: int


@get("/schedules", name="schedules")
async def schedules_page(request: Request[User, Any, Any]) -> Template:
    return render(request, "schedules/page.html", planned=[_planned(schedule) for schedule in SCHEDULES])


def _planned(schedule: Schedule) -> Planned:
    simulated = CronSim(schedule.cron, datetime.now(ZoneInfo(schedule.zone)))
    return Planned(schedule, simulated.explain(), int(next(simulated).timestamp() * 1000))
