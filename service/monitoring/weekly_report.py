"""`ReportFigures`: days and weeks, and the weekly report as a message to Slack."""

import asyncio
from collections.abc import Sequence
from datetime import date

from service.lib.languages import in_language
from service.lib.sentences.recogniser import prepare, shown
from service.monitoring.alerts.outbox import Outbox
from service.monitoring.alerts.slack import fitting, header, link_line
from service.monitoring.metrics import Metrics, QueueWeek, WeekReport
from tasks.ports.reports import DayLine

KEEP_S = 35 * 86_400
"""Seconds for which it is remembered that a week was posted: until long after its report can be started again by mistake."""


class ReportFigures:
    """Implements tasks.ports.reports.Reports."""

    def __init__(self, metrics: Metrics, outbox: Outbox, links_url: str, language: str) -> None:
        self._metrics = metrics
        self._outbox = outbox
        self._links_url = links_url
        self._language = language

    async def day(self, day: date) -> Sequence[DayLine]:
        """Work completed on a day (UTC), queue by queue."""
        totals = {queue: (await self._metrics.days(queue, day, 1))[0].total for queue in self._metrics.queues}
        return [DayLine(queue, total["completed"], total["units"]) for queue, total in totals.items()]

    async def post_week(self, first_day: date) -> str:
        """Give the week's report to Slack's outbox, once."""
        if "slack" not in self._outbox.receivers:
            return "posted nowhere: OFFLOAD_SLACK_WEBHOOK_URL is not set"
        report = await self._metrics.week(first_day)
        await asyncio.to_thread(prepare, self._language)
        with in_language(self._language):
            body = week_blocks(report, self._links_url)
        posted = await self._outbox.put(
            f"week-{first_day}", "slack", body, f"the report of the week from {first_day}", once_s=KEEP_S
        )
        return "given to Slack" if posted else "this week was posted before"


def week_blocks(report: WeekReport, links_url: str) -> dict[str, object]:
    """The report as Slack shows it, in the current language."""
    title = shown(f"Week of {report.first_day} to {report.last_day} (UTC)")
    lines = [_line(now, before) for now, before in zip(report.queues, report.before, strict=True)]
    blocks = [
        header(title),
        *({"type": "section", "text": {"type": "mrkdwn", "text": fitting(line)}} for line in lines),
        link_line(f"{links_url}/admin/metrics/weeks?week={report.first_day}", shown("The report's page")),
    ]
    return {"text": title, "blocks": blocks}


def _line(now: QueueWeek, before: QueueWeek) -> str:
    jobs_number = f"{now.jobs:,}"
    facts = [(f"{jobs_number} job" if now.jobs == 1 else f"{jobs_number} jobs", change(now.jobs, before.jobs))]
    if now.success_rate is not None:
        success_rate = f"{now.success_rate * 100:.1f} %"
        facts.append((f"{success_rate} succeeded", points(now.success_rate, before.success_rate)))
    if now.mean_run_ms is not None:
        mean_duration = f"{now.mean_run_ms / 1000:,.1f} s"
        facts.append((f"{mean_duration} on average", change(now.mean_run_ms, before.mean_run_ms)))
    if now.messages:
        sent_number = f"{now.messages:,}"
        words = f"{sent_number} message" if now.messages == 1 else f"{sent_number} messages"
        facts.append((words, change(now.messages, before.messages)))
    if now.delivery_rate is not None:
        delivery_rate = f"{now.delivery_rate * 100:.1f} %"
        facts.append((f"{delivery_rate} delivered", points(now.delivery_rate, before.delivery_rate)))
    return f"*{now.queue}*: " + ", ".join(shown(words) + since for words, since in facts)


def change(now: float, before: float | None) -> str:
    """The change against the week before in per cent, such as " (+12 %)"; empty where there is nothing to compare."""
    return f" ({(now - before) / before * 100:+z.0f} %)" if before else ""


def points(now: float, before: float | None) -> str:
    """The change of a rate, in percentage points, in the current language."""
    if before is None:
        return ""
    count_number = f"{(now - before) * 100:+z.1f}"
    return f" ({shown(f'{count_number} points')})"
