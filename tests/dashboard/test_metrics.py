"""The metrics page: percentiles and throughput, by queue and task, in four periods."""

import pytest

from dashboard.charts import curves
from dashboard.metrics.trends import PERIODS, trends
from settings import Queue
from tests.dashboard.conftest import Client
from tests.dashboard.made import Maker, made_type

EXPORT = made_type("csv-export", Queue.CSV_EXPORT)


@pytest.mark.parametrize("name", PERIODS)
async def test_every_period_counts_what_has_just_ended(viewer: Client, made: Maker, name: str) -> None:
    for _ in range(2):
        await made.completed(await made.active(EXPORT))
    await made.failed(await made.active(EXPORT))
    found = {trend.queue: trend for trend in await trends(made.services.metrics, PERIODS[name])}
    trend = found["csv-export"]
    assert (trend.whole.completed, trend.whole.failed, sum(trend.completed)) == (2, 1, 2)
    assert len(trend.completed) == PERIODS[name].count
    assert [row.name for row in trend.tasks] == ["csv-export"]
    assert None not in trend.whole.waits and list(trend.whole.waits) == sorted(w for w in trend.whole.waits if w)
    assert found["thumbnails"].whole.waits == [None, None, None]
    page = (await viewer.get(f"/admin/metrics?period={name}")).text
    assert "csv-export: 2 completed and 1 failed" in page


async def test_an_unknown_period_is_a_day(viewer: Client) -> None:
    assert 'period=day" aria-current="true"' in (await viewer.get("/admin/metrics?period=century")).text


def test_a_gap_in_the_values_is_a_gap_in_the_curve() -> None:
    longest, shorter = curves([[1000.0, None, 1000.0], [10.0, 10.0, None]])
    assert longest.d.count("M") == 2 and "L" not in longest.d
    assert shorter.d.count("M") == 1 and shorter.d.count("L") == 1


def test_the_longest_is_on_top_and_a_thousandth_at_the_bottom() -> None:
    (line,) = curves([[1000.0, 1.0, 0.001]])
    assert [part.split("h")[0].split()[1] for part in line.d.replace("L", "M").split("M")[1:]] == [
        "3.0",
        "97.0",
        "97.0",
    ]


def test_nothing_draws_nothing() -> None:
    assert [curve.d for curve in curves([[None, None], []])] == ["", ""]
