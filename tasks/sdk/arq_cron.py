"""The schedule as arq's settings classes show it."""

from datetime import UTC, datetime
from typing import Any, cast

from arq.cron import CronJob
from cronsim import CronSim

from settings.queues import Queue
from settings.schedules import SCHEDULES, Schedule
from tasks.sdk.types import REGISTRY


class Slot(CronJob):
    """A declared schedule among a worker's `cron_jobs`.

    It carries the times; the slots are begun by the maintenance leader, who reads cron's text itself (arq knows neither the days
    on which clocks change nor slots that passed while no worker was up).
    """


def cron_jobs(queue: Queue) -> list[CronJob]:
    """The schedules whose job runs on a queue. One that cannot be read is left out here, and shown on its page."""
    return [
        _slot(schedule)
        for schedule in SCHEDULES
        if not schedule.problem and schedule.job in REGISTRY and REGISTRY[schedule.job].queue == queue
    ]


def _slot(schedule: Schedule) -> Slot:
    fields = CronSim(schedule.cron, datetime(2026, 1, 1, tzinfo=UTC))
    times: dict[str, Any] = {
        "month": _unless_every(fields.months, 12),
        "day": _unless_every(fields.days, 31),
        # cron's week begins on Sunday, which has two numbers; arq's begins on Monday.
        "weekday": _unless_every({(day - 1) % 7 for day in fields.weekdays if isinstance(day, int)}, 7),
        "hour": _unless_every(fields.hours, 24),
        "minute": _unless_every(fields.minutes, 60),
    }
    return Slot(
        name=f"cron:{schedule.name}",
        coroutine=cast(Any, REGISTRY[schedule.job].function),
        **times,
        second=0,
        microsecond=0,
        run_at_startup=False,
        unique=True,
        job_id=None,
        timeout_s=None,
        keep_result_s=0,
        keep_result_forever=False,
        max_tries=None,
    )


def _unless_every(values: Any, every: int) -> set[int] | None:
    return None if len(values) == every else set(values)
