"""The weekly report to Slack: jobs, success and duration of every queue, compared with the week before."""

from datetime import timedelta

import msgspec

from settings.queues import Queue
from tasks.daily_digest import day_of
from tasks.ports.reports import Reports
from tasks.sdk import Payload, Run, job


class WeeklyReport(Payload, frozen=True):
    """The report is about the last whole week, Monday to Sunday, before `monday` (2026-02-02). Default: before today."""

    monday: str | None = None


class Reported(msgspec.Struct):
    """The week, and the result of its report."""

    first_day: str
    done: str


@job(queue=Queue.CSV_EXPORT, public=False, expected_s=1.0)
async def weekly_report(payload: WeeklyReport, run: Run) -> Reported:
    """Post the report of the last whole week. However often it runs, a week is posted once."""
    end = day_of(payload.monday)
    first = end - timedelta(days=end.weekday() + 7)
    return Reported(f"{first}", await run.use(Reports).post_week(first))
