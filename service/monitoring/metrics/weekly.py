"""The weekly report's figures."""

from service.monitoring.metrics.figures import QueueWeek, Span
from settings.queues import Queue

OFFERED = ("mail_sent", "mail_bounced", "mail_failed", "mail_unknown")
"""What can become of a message for good: their sum is the messages of the week."""


def queue_week(queue: Queue, week: Span) -> QueueWeek:
    """One line of the report."""
    total = week.total
    rate = total.failure_rate
    success = None if rate is None else 1 - rate
    line = QueueWeek(str(queue), total.ended, success, total.mean_run_ms)
    if queue is not Queue.EMAIL_SENDER:
        return line
    offered = sum(total[measure] for measure in OFFERED)
    delivered = total["mail_sent"] / offered if offered else None
    return QueueWeek(line.queue, line.jobs, line.success_rate, line.mean_run_ms, offered, delivered)
