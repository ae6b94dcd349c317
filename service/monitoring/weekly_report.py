"""`ReportFigures`: days and weeks, and the weekly report as a message to Slack."""

from collections.abc import Sequence
from datetime import date

from service.monitoring.alerts.outbox import Outbox
from service.monitoring.alerts.slack import fitting, header, link_line
from service.monitoring.metrics import Metrics, QueueWeek, WeekReport
from tasks.ports.reports import DayLine

KEEP_S = 35 * 86_400
"""Seconds for which it is remembered that a week was posted: until long after its report can be started again by mistake."""


class ReportFigures:
    """Implements tasks.ports.reports.Reports."""

    def __init__(self, metrics: Metrics, outbox: Outbox, links_url: str) -> None:
        self._metrics = metrics
        self._outbox = outbox
        self._links_url = links_url

    async def day(self, day: date) -> Sequence[DayLine]:
        """Work completed on a day (UTC), queue by queue."""
        totals = {queue: (await self._metrics.days(queue, day, 1))[0].total for queue in self._metrics.queues}
        return [DayLine(queue, total["completed"], total["units"]) for queue, total in totals.items()]

    async def post_week(self, first_day: date) -> str:
        """Give the week's report to Slack's outbox, once."""
        if "slack" not in self._outbox.receivers:
            return "posted nowhere: OFFLOAD_SLACK_WEBHOOK_URL is not set"
        report = await self._metrics.week(first_day)
        body = week_blocks(report, self._links_url)
        posted = await self._outbox.put(
            f"week-{first_day}", "slack", body, f"the report of the week from {first_day}", once_s=KEEP_S
        )
        return "given to Slack" if posted else "this week was posted before"


def week_blocks(report: WeekReport, links_url: str) -> dict[str, object]:
    """The report as Slack shows it."""
    title = f"Week of {report.first_day} to {report.last_day}"
    lines = [_line(now, before) for now, before in zip(report.queues, report.before, strict=True)]
    blocks = [
        header(title),
        *({"type": "section", "text": {"type": "mrkdwn", "text": fitting(line)}} for line in lines),
        link_line(f"{links_url}/admin/metrics/weeks?week={report.first_day}", "The report's page"),
    ]
    return {"text": title, "blocks": blocks}


def _line(now: QueueWeek, before: QueueWeek) -> str:
    facts = [f"{now.jobs:,} jobs{change(now.jobs, before.jobs)}"]
    if now.success_rate is not None:
        facts.append(f"{now.success_rate:.1%} succeeded{points(now.success_rate, before.success_rate)}")
    if now.mean_run_ms is not None:
        facts.append(f"{now.mean_run_ms / 1000:,.1f} s on average{change(now.mean_run_ms, before.mean_run_ms)}")
    if now.messages:
        facts.append(f"{now.messages:,} messages{change(now.messages, before.messages)}")
    if now.delivery_rate is not None:
        facts.append(f"{now.delivery_rate:.1%} delivered{points(now.delivery_rate, before.delivery_rate)}")
    return f"*{now.queue}*: " + ", ".join(facts)


def change(now: float, before: float | None) -> str:
    """The change against the week before in per cent, such as " (+12 %)"; empty where there is nothing to compare."""
    return f" ({(now - before) / before:+z.0%})" if before else ""


def points(now: float, before: float | None) -> str:
    """The change of a rate, in percentage points."""
    return "" if before is None else f" ({(now - before) * 100:+z.1f} points)"
