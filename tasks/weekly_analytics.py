"""The weekly analytics: the past week's metrics as a CSV file, and a message to the operators that says where it is."""

from datetime import timedelta

from settings.queues import Queue
from tasks.analytics_notice import AnalyticsNotice, analytics_notice
from tasks.csv_export import Export, Exported, csv_export
from tasks.daily_digest import day_of
from tasks.sdk import Payload, Run, job


class WeeklyAnalytics(Payload, frozen=True):
    """`monday` (2026-02-02) is the day after the week it is about, or a later one. Default: today, in UTC."""

    monday: str | None = None


@job(queue=Queue.CSV_EXPORT, public=False, expected_s=5.0)
async def weekly_analytics(payload: WeeklyAnalytics, run: Run) -> Exported:
    """Export the metrics of the seven days before to `export.csv`, and have the operators told."""
    end = day_of(payload.monday)
    first, last = end - timedelta(days=7), end - timedelta(days=1)
    wanted = Export(dataset="metrics-hourly", query_params={"hour": {"from": f"{first}", "to": f"{last}"}})
    exported: Exported = await csv_export.function(wanted, run)
    notice = AnalyticsNotice(export=run.job_id, first_day=f"{first}", last_day=f"{last}", rows=exported.rows)
    await run.then(analytics_notice, notice)
    return exported
