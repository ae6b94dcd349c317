"""How values read."""

import pytest

from dashboard.charts import bars, spark
from dashboard.formats import compact, cut, duration, in_zone, moment, pretty, rate, size, whole


@pytest.mark.parametrize(
    ("elapsed_ms", "words"),
    [
        (0, "0 ms"),
        (-5, "0 ms"),
        (999, "999 ms"),
        (1_000, "1.0 s"),
        (59_949, "59.9 s"),
        (60_000, "1 min"),
        (252_000, "4 min 12 s"),
        (7_500_000, "2 h 5 min"),
        (273_600_000, "3 d 4 h"),
    ],
)
def test_durations(elapsed_ms: int, words: str) -> None:
    assert duration(elapsed_ms) == words


def test_a_growing_duration_has_no_fractions() -> None:
    assert (whole(999), whole(12_900), whole(61_000)) == ("0 s", "12 s", "1 min 1 s")


@pytest.mark.parametrize(
    ("count", "words"),
    [(0, "0 B"), (999, "999 B"), (1_500, "1.5 kB"), (99_400, "99.4 kB"), (999_600, "1.0 MB"), (734_003_200, "734 MB")],
)
def test_sizes(count: int, words: str) -> None:
    assert size(count) == words


def test_a_moment_is_exact_where_a_machine_reads_it() -> None:
    assert moment(1_769_846_400_123) == (
        '<time datetime="2026-01-31T08:00:00.123Z" title="2026-01-31 08:00:00.123 UTC">31 Jan 08:00:00 UTC</time>'
    )


def test_a_payload_on_one_line_is_cut() -> None:
    assert compact({"file_id": "file-1", "engine": None, "sizes": [150, 300]}) == "file_id=file-1 sizes=[150,300]"
    assert len(compact({"ids": list(range(10_000))})) == 160


def test_a_huge_result_does_not_freeze_the_page() -> None:
    assert len(pretty({"rows": ["x" * 100] * 10_000})) < 21_000 and cut(pretty({"rows": ["x" * 100] * 10_000}))
    assert not cut(pretty({"text": "\n…"}))


def test_the_tallest_column_fills_the_chart_and_one_job_is_seen() -> None:
    quiet, one, tallest = bars([0, 1, 990], [0, 0, 10])
    assert (quiet.good_height, quiet.bad_height) == (0, 0)
    assert one.good_height == 4
    assert tallest.good_height + tallest.bad_height == pytest.approx(103)


def test_a_sparkline_has_a_column_for_each_minute() -> None:
    line = spark([0, 3, 1], [0, 0, 1])
    assert [path.count("M") for path in (line.quiet, line.good, line.bad)] == [1, 1, 1]


def test_a_schedules_time_is_in_its_zone_on_both_sides_of_the_change_of_clocks() -> None:
    summer, winter = 1_780_000_000_000, 1_795_906_800_000
    assert ">Thu 28 May 22:26 Europe/Berlin<" in in_zone(summer, "Europe/Berlin")
    assert ">Sun 29 Nov 00:00 Europe/Berlin<" in in_zone(winter, "Europe/Berlin")
    assert "2026-11-28 23:00:00 UTC" in in_zone(winter, "Europe/Berlin") and "data-zoned" in in_zone(winter, "UTC")
    assert in_zone(winter, "UTC").count("<time") == 1 and in_zone(winter, "Europe/Berlin").startswith(moment(winter))
    assert in_zone(winter, "Mars/Olympus") == moment(winter)


@pytest.mark.parametrize(
    ("per_hour", "words"),
    [
        (0, "0"),
        (1 / 24, "1 a day"),
        (0.0417, "1 a day"),
        (1 / 168, "1 a week"),
        (1 / 720, "0.2 a week"),
        (2.5, "2.5 an hour"),
        (12.4, "12 an hour"),
        (1_200, "1,200 an hour"),
    ],
)
def test_a_rate_is_said_in_the_unit_that_fits_it(per_hour: float, words: str) -> None:
    assert rate(per_hour) == words
