"""Number of workers that a queue's work asks for."""

import pytest

from service.engine.scaling import workers_wanted


@pytest.mark.parametrize(
    ("backlog_s", "running", "slots_each", "workers"),
    [
        (0, 0, 2, 0),
        (0.001, 0, 2, 1),
        (60, 0, 2, 1),
        (121, 0, 2, 2),
        (600, 0, 2, 5),
        (0, 3, 2, 2),
        (60, 7, 2, 4),
        (600, 3, 2, 5),
        (600, 0, 1, 10),
    ],
)
def test_workers_suffice_for_what_waits_within_a_minute_and_for_what_runs(
    backlog_s: float, running: int, slots_each: int, workers: int
) -> None:
    assert workers_wanted(backlog_s, running, slots_each, within_s=60) == workers
