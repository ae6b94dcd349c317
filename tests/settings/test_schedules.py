"""The schedule as data."""

from datetime import UTC, datetime
from zoneinfo import ZoneInfo

import pytest
from cronsim import CronSim

from settings.schedules import SCHEDULES, Schedule


@pytest.mark.parametrize("schedule", SCHEDULES, ids=lambda schedule: schedule.name)
def test_each_line_is_a_cron_expression_in_a_zone_that_exists(schedule: Schedule):
    assert ZoneInfo(schedule.zone)
    assert next(CronSim(schedule.cron, datetime(2026, 1, 1, tzinfo=UTC))) > datetime(2026, 1, 1, tzinfo=UTC)


def test_names_are_unique():
    assert len({schedule.name for schedule in SCHEDULES}) == len(SCHEDULES)
