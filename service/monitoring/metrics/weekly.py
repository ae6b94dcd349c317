"""The weekly report's figures."""

from service.mail.counters import FINAL, MAIL_QUEUE, MEASURES
from service.monitoring.metrics.figures import QueueWeek, Span
from settings.queues import Queue


def queue_week(queue: Queue, week: Span) -> QueueWeek:
    """One line of the report."""
    total = week.total
    rate = total.failure_rate
    success = None if rate is None else 1 - rate
    line = QueueWeek(str(queue), total.ended, success, total.mean_run_ms)
    if queue is not MAIL_QUEUE:
        return line
    offered = sum(total[measure] for measure in FINAL)
    delivered = total[MEASURES["sent"]] / offered if offered else None
    return QueueWeek(line.queue, line.jobs, line.success_rate, line.mean_run_ms, offered, delivered)
