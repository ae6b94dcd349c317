"""What is counted, how minutes become hours, days and totals, and what a percentile is worth."""

import random
import time
from datetime import date, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from service.engine.store import keys
from service.monitoring.metrics.histogram import LAST, bucket, percentile_ms, upper_ms
from tests.parts import Parts


async def test_a_job_is_counted_by_queue_and_by_type_with_its_times(parts: Parts) -> None:
    await parts.echo(3)
    first, second, third = await parts.claim(3)
    await parts.end(first, run_ms=100)
    await parts.end(second, run_ms=200)
    await parts.end(third, "failed", attempt="timeout")
    span = await parts.metrics.window("thumbnails", 120)
    total, echo = span.total, span.types["probe-echo"]
    assert total.counts == echo.counts
    for event, number in {
        "enqueued": 3,
        "started": 3,
        "completed": 2,
        "failed": 1,
        "timeout": 1,
        "run_ms": 300,
    }.items():
        assert total[event] == number, event
    assert sum(total.waits.values()) == 3 and sum(total.runs.values()) == 2
    assert total.failure_rate == pytest.approx(1 / 3)
    assert total.mean_run_ms == 150
    now = int(time.time() // 60)
    assert any(await parts.store.minutes("thumbnails", range(now - 2, now + 1)))


async def test_the_wait_is_counted_from_when_a_job_could_have_started(parts: Parts) -> None:
    (job_id,) = await parts.echo()
    minute_ago = int(time.time() * 1000) - 60_000
    await parts.store.redis.hset(keys.job(job_id), "ready_ms", minute_ago)
    await parts.claim()
    total = (await parts.metrics.window("thumbnails", 60)).total
    assert 60_000 <= total["wait_ms"] < 120_000
    assert total.wait_ms(0.5) == pytest.approx(60_000, rel=0.3)


async def test_minutes_are_added_once_to_their_hour_their_day_and_the_total(parts: Parts) -> None:
    redis, now = parts.store.redis, int(time.time() // 60)
    # The first two in one hour, whatever the time is now.
    early = (now // 60 - 2) * 60 + 10
    for minute in (early, early + 1, now - 1):
        await redis.hset(keys.metrics("thumbnails", minute), mapping={"completed|a": 5, "r30|a": 5, "completed/b": 9})
    await parts.metrics.fold()
    await parts.metrics.fold()
    assert await redis.hget(keys.metrics_total("thumbnails"), "completed|a") == b"15"
    days = await parts.metrics.spans("day", "thumbnails", 2)
    assert sum(day.total["completed"] for day in days) == 15
    assert sum(day.types["b"]["completed"] for day in days if day.types) == 27
    hours = await parts.metrics.spans("hour", "thumbnails", 4)
    assert next(hour.total["completed"] for hour in hours if hour.total["completed"]) == 10
    for key in (
        keys.metrics_hour("thumbnails", early // 60),
        keys.metrics_day("thumbnails", early // 1440),
    ):
        assert await redis.ttl(key) > 0


async def test_what_is_not_folded_yet_is_in_every_figure(parts: Parts) -> None:
    await parts.metrics.fold()
    await parts.echo(4)
    assert (await parts.metrics.total("thumbnails")).total["enqueued"] == 4
    assert (await parts.metrics.spans("hour", "thumbnails", 2))[-1].total["enqueued"] == 4
    assert (await parts.metrics.spans("day", "thumbnails", 1))[-1].total["enqueued"] == 4
    # No process has folded for hours: nothing is lost, nothing counted twice.
    await parts.store.redis.hset(keys.metrics_total("thumbnails"), "through", int(time.time() // 60) - 200)
    await parts.store.redis.hset(keys.metrics("thumbnails", int(time.time() // 60) - 150), "enqueued|probe-echo", 6)
    assert (await parts.metrics.total("thumbnails")).total["enqueued"] == 10
    await parts.metrics.fold()
    assert (await parts.metrics.total("thumbnails")).total["enqueued"] == 10


async def test_however_many_jobs_the_metrics_take_the_same_room(parts: Parts) -> None:
    sizes = []
    for _ in range(2):
        for _ in range(4):
            await parts.echo(100)
            for job in await parts.claim(100):
                await parts.end(job, run_ms=random.randrange(100_000))
        minutes = await parts.store.redis.keys("offload:minute:*")
        sizes.append(sum([await parts.store.redis.hlen(key) for key in minutes]) / len(minutes))
    assert sizes[1] < 2 * (LAST + 1) + 20


async def test_a_week_is_compared_with_the_one_before(parts: Parts) -> None:
    report = await parts.metrics.week()
    assert [line.queue for line in report.queues] == list(parts.metrics.queues)
    assert all(line.jobs == 0 and line.success_rate is None for line in report.queues)
    redis = parts.store.redis
    monday = date.fromisoformat(report.first_day)
    day = (monday - date(1970, 1, 1)).days
    sunday = day + 6
    await redis.hset(
        keys.metrics_day("thumbnails", day), mapping={"completed|t": 90, "failed|t": 10, "run_ms|t": 9000, "r20|t": 90}
    )
    await redis.hset(keys.metrics_day("thumbnails", sunday), mapping={"completed|t": 100})
    await redis.hset(keys.metrics_day("thumbnails", sunday + 1), mapping={"completed|t": 1000})
    await redis.hset(keys.metrics_day("thumbnails", day - 7), mapping={"completed|t": 50})
    await redis.hset(keys.metrics_day("email-sender", day + 1), mapping={"mail_sent": 95, "mail_bounced": 5})
    report = await parts.metrics.week(monday)
    lines = {line.queue: line for line in report.queues}
    assert (lines["thumbnails"].jobs, lines["thumbnails"].success_rate) == (200, 0.95)
    assert lines["thumbnails"].mean_run_ms == 100
    assert (lines["email-sender"].messages, lines["email-sender"].delivery_rate) == (100, 0.95)
    assert {line.queue: line.jobs for line in report.before}["thumbnails"] == 50
    assert report.last_day == (monday + timedelta(days=6)).isoformat()


@given(st.floats(min_value=0, max_value=100_000_000))
def test_a_bucket_holds_what_falls_into_it(ms: float) -> None:
    number = bucket(ms)
    assert ms <= upper_ms(number) * (1 + 1e-9)
    assert number == 0 or ms > upper_ms(number - 1) * (1 - 1e-9)


@given(
    st.lists(st.integers(min_value=2, max_value=10_000_000), min_size=1, max_size=200),
    st.sampled_from([0.5, 0.95, 0.99]),
)
def test_a_percentile_is_within_a_bucket_of_the_truth(times: list[int], share: float) -> None:
    counts: dict[int, int] = {}
    for ms in times:
        counts[bucket(ms)] = counts.get(bucket(ms), 0) + 1
    seen = percentile_ms(counts, share)
    # The smallest value that at least `share` of all are within.
    truth = next(ms for n, ms in enumerate(sorted(times), 1) if n >= share * len(times))
    assert seen is not None and truth / 1.27 <= seen <= truth * 1.27


async def test_the_server_computes_the_same_bucket(parts: Parts) -> None:
    times = [0, 1, 2, 3, 4, 7, 8, 9, 1000, 1024, 1025, 65_536, 10**7, 10**9]
    script = (
        "local t = {} for i, ms in ipairs(ARGV) do ms = tonumber(ms) "
        "t[i] = ms <= 1 and 0 or math.min(81, math.ceil(3 * math.log(ms) / math.log(2) - 1e-9)) end return t"
    )
    assert await parts.store.redis.eval(script, 0, *times) == [bucket(ms) for ms in times]
