"""Ranges of reports: days of a zone, moments, and what is refused."""

from datetime import UTC, datetime

import pytest

from settings.schedules import Schedule
from tasks.reports.period import read_period
from tasks.sdk import Refused


def test_days_are_those_of_the_zone_and_both_are_included():
    period = read_period("2026-03-08", "2026-03-08", "America/New_York")
    assert (period.start, period.end) == (datetime(2026, 3, 8, 5, tzinfo=UTC), datetime(2026, 3, 9, 4, tzinfo=UTC))
    assert (period.step, len(period.columns), period.words) == ("hour", 23, "8 March 2026")


@pytest.mark.parametrize(
    ("start", "end", "step", "columns"),
    [
        ("2026-03-01", "2026-03-31", "day", 31),
        ("2026-01-01", "2026-12-31", "week", 53),
        ("2020-01-01", "2026-12-31", "month", 84),
        ("2026-03-01T08:30:00Z", "2026-03-01T10:00:00Z", "hour", 2),
    ],
)
def test_a_chart_counts_by_steps_that_fit_the_range(start: str, end: str, step: str, columns: int):
    period = read_period(start, end, "Europe/Paris")
    assert (period.step, len(period.columns)) == (step, columns)
    assert period.column_of(period.start) == 0
    assert all(period.column_label(number) for number in range(columns))


@pytest.mark.parametrize(
    ("start", "end", "zone", "field", "words"),
    [
        ("2026-03-02", "2026-03-01", "UTC", "to", "before it starts"),
        ("2026-03-01T08:00:00Z", "2026-03-01T08:00:00Z", "UTC", "to", "is empty"),
        ("2026-03-01", "2026-03-02", "Mars/Base", "zone", "not a known time zone"),
        ("2026-03-01", "2026-03-02", "../../etc/passwd", "zone", "not a known time zone"),
        ("2026-02-30", "2026-03-02", "UTC", "from", "takes a day"),
        ("2026-03-01T08:00:00", "2026-03-02", "UTC", "from", "with its offset"),
        ("1990-01-01", "2026-03-02", "UTC", "to", "3,660 are the limit"),
        ("0001-01-01", "2026-03-02", "Asia/Tokyo", "from", "takes a day"),
        ("2026-01-01", "9999-12-31", "UTC", "to", "takes a day"),
    ],
)
def test_a_range_that_cannot_be_is_refused_by_its_field(start: str, end: str, zone: str, field: str, words: str):
    with pytest.raises(Refused, match=words) as refused:
        read_period(start, end, zone)
    assert refused.value.field == field


def test_a_schedule_names_the_day_before_its_slot():
    payload = {"from": "{date-1}", "to": "{date}", "other": "{date-x}"}
    daily = Schedule("daily report", "0 9 * * *", "report-pdf", payload, "America/New_York")
    assert daily.payload_at(datetime(2026, 3, 9, 2, tzinfo=UTC)) == {
        "from": "2026-03-07", "to": "2026-03-08", "other": "{date-x}"
    }  # fmt: skip
