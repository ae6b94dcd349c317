"""Moments, lengths and ranges of them."""

import pytest

from service.engine.job_query.values import read_length, read_moment, read_number
from service.engine.store.conditions import Range

HOUR, DAY = 3_600_000, 86_400_000
NOV_1 = 1_793_491_200_000
"""2026-11-01T00:00:00Z in ms."""
NOW = NOV_1 + 10 * DAY


@pytest.mark.parametrize(
    ("text", "span"),
    [
        ("2h", Range(NOW - 2 * HOUR, None)),
        (">2h", Range(NOW - 2 * HOUR + 1, None)),
        ("<2h", Range(None, NOW - 2 * HOUR)),
        ("2d..1d", Range(NOW - 2 * DAY, NOW - DAY + 1)),
        ("2026-11-01", Range(NOV_1, NOV_1 + DAY)),
        (">2026-11-01", Range(NOV_1 + DAY, None)),
        (">=2026-11-01", Range(NOV_1, None)),
        ("<=2026-11-01", Range(None, NOV_1 + DAY)),
        ("2026-11-01..2026-11-05", Range(NOV_1, NOV_1 + 5 * DAY)),
        ("2026-11-01..", Range(NOV_1, None)),
        ("..2026-11-01", Range(None, NOV_1 + DAY)),
        ("2026-11-01T01:00", Range(NOV_1 + HOUR, NOV_1 + HOUR + 60_000)),
        ("2026-11-01T01:00:00+01:00", Range(NOV_1, NOV_1 + 1_000)),
        ("2026-11-01T00:00:00Z..2026-11-01T01:00:00Z", Range(NOV_1, NOV_1 + HOUR + 1_000)),
    ],
)
def test_moments(text: str, span: Range) -> None:
    assert read_moment(text, NOW) == span


def test_lengths_and_numbers() -> None:
    assert read_length(">1h30m") == Range(5_400_001, None)
    assert read_length("1.5s..2s") == Range(1_500, 2_001)
    assert [read_number(text) for text in ("2", ">1", "1..3", "<=4")] == [
        Range(2, 3), Range(2, None), Range(1, 4), Range(None, 5),
    ]  # fmt: skip
