"""The metrics page: percentiles and throughput, by queue and task, in four periods."""

from datetime import date, timedelta

import pytest

from dashboard.charts import curves
from dashboard.metrics.trends import PERIODS, trends
from dashboard.metrics.weeks import words
from service.engine.store import keys
from service.monitoring.metrics import WeekReport
from service.monitoring.metrics.metrics import last_monday
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


async def count(made: Maker, queue: str, day: date, **counted: int) -> None:
    """What a day's metrics hold once its minutes are folded."""
    fields = {name if name.startswith("mail_") else f"{name}|t": number for name, number in counted.items()}
    await made.store.redis.hset(keys.metrics_day(queue, (day - date(1970, 1, 1)).days), mapping=fields)


async def test_the_weekly_report_is_a_page_that_compares_with_the_week_before(viewer: Client, made: Maker) -> None:
    monday = last_monday()
    await made.services.metrics.fold()
    await count(made, "thumbnails", monday, completed=1140, failed=60, run_ms=4_560_000, r40=1140)
    await count(made, "thumbnails", monday - timedelta(days=3), completed=1000, run_ms=8_000_000, r40=1000)
    await count(made, "email-sender", monday + timedelta(days=6), completed=2, mail_sent=95, mail_bounced=5)
    await count(made, "thumbnails", monday + timedelta(days=7), completed=7777)
    page = " ".join((await viewer.get("/admin/metrics/weeks")).text.replace('<span class="muted">', "").split())
    for figure in ("1,200 (+20 %)", "95.0 % (-5.0 points)", "4.0 s (-50 %)", "> 100</td>", "> 95.0 % </td>"):
        assert figure.replace("> ", "").replace(" </td>", "").replace("</td>", "") in page, figure
    assert "7,777" not in page and page.count('href="/admin/metrics/weeks?week=') == 2
    earlier = await viewer.get(f"/admin/metrics/weeks?week={monday - timedelta(days=7)}")
    assert "1,000" in earlier.text and "8.0 s" in earlier.text


@pytest.mark.parametrize("address", ["/admin/metrics/weeks", "/admin/metrics/weeks?week=yesterday"])
async def test_a_week_that_is_not_kept_is_the_last_whole_one(viewer: Client, made: Maker, address: str) -> None:
    await made.services.metrics.fold()
    shown = await made.services.metrics.week()
    answer = await viewer.get(address)
    assert answer.status_code == 200 and f">{words(shown)}<" in answer.text


def test_a_week_reads_as_one_says_it() -> None:
    for first, last, message in (
        ("2026-11-09", "2026-11-15", "9 to 15 November 2026"),
        ("2026-11-30", "2026-12-06", "30 November to 6 December 2026"),
        ("2026-12-28", "2027-01-03", "28 December 2026 to 3 January 2027"),
    ):
        assert words(WeekReport(first, last, [], [])) == message
