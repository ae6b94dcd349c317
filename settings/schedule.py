"""What happens by the clock, as data: five fields of cron, a zone, and the job type that is started."""

from dataclasses import dataclass, field
from typing import Any


@dataclass(frozen=True)
class Schedule:
    """One recurring job. `payload` is what a client would send to start `job`."""

    name: str
    cron: str
    job: str
    payload: dict[str, Any] = field(default_factory=dict)
    zone: str = "UTC"


SCHEDULES: tuple[Schedule, ...] = (
    # Eight in the morning: before the working day, after the night's maintenance.
    Schedule("daily-digest", "0 8 * * *", "daily-digest"),
    # Monday at six, so that the figures of the whole past week are in them.
    Schedule("weekly-analytics", "0 6 * * 1", "weekly-analytics"),
    Schedule("weekly-report", "0 6 * * 1", "weekly-report"),
    # Monthly: a temp file has had at least its own days of grace by then.
    Schedule("expired-temp-files", "0 0 1 * *", "delete-expired-files"),
    # Two at night, when OCR leaves the cores alone.
    Schedule("missing-thumbnails", "0 2 * * *", "regenerate-thumbnails"),
    # Hourly: an upload broken off half way should not hold disk for a day.
    Schedule("temporary-uploads", "0 * * * *", "sweep-uploads"),
)
