"""Weights tried out on jobs that really ran in a real queue."""

import pytest

from service.database import open_database
from service.database.owners import Owners
from service.engine.store import keys
from service.lib.clock import now_ms
from service.monitoring.changes.levels import Levels
from service.monitoring.fairness.replay import Turn
from service.monitoring.fairness.span import read_span
from service.monitoring.fairness.trial import Trials, busiest, percentile
from tests.engine import probe
from tests.parts import Parts


@pytest.fixture
async def trials(parts: Parts):
    async with open_database(parts.settings.database_url) as database:
        redis = parts.store.redis
        yield Trials(parts.store, Owners(database, parts.settings), Levels(redis))


async def ran(parts: Parts, job_id: str, ready_ms: int, began_ms: int, ended_ms: int) -> None:
    """Put a job that has ended at its times."""
    times = {"ready_ms": ready_ms, "started_ms": began_ms, "finished_ms": ended_ms}
    await parts.store.redis.hset(keys.job(job_id), mapping=times)
    await parts.store.redis.zadd(keys.finished("thumbnails"), {job_id: ended_ms})


async def test_a_day_is_replayed_with_the_weights_of_today_and_the_proposed_ones(parts: Parts, trials: Trials) -> None:
    span = read_span("", "", now_ms())
    begin_ms = span.begin_ms
    imported = await parts.enqueuer.enqueue_many(probe.probe_echo, [probe.Echo()] * 30, owner="acme")
    requested = await parts.enqueuer.enqueue_many(probe.probe_echo, [probe.Echo()] * 3, owner="globex")
    for job in await parts.claim(33):
        await parts.end(job)
    # One slot, a second each, in alternation: as the fair order has it.
    turns = [name for pair in zip(imported, requested, strict=False) for name in pair] + imported[3:]
    for number, job_id in enumerate(turns):
        began = begin_ms + 1_000 * number
        await ran(parts, job_id, begin_ms, began, began + 1_000)
    trial = await trials.run("thumbnails", span, {"globex": 10.0, "unknown": 3.0})
    assert (trial.turns, trial.lacking, trial.slots_min, trial.slots_max) == (33, 0, 1, 1)
    acme, globex = trial.rows
    assert (acme.owner, acme.turns, globex.owner, globex.turns) == ("acme", 30, "globex", 3)
    assert (globex.weight, globex.proposed) == (1.0, 10.0)
    # Of jobs that came at the same moment the one whose id comes first begins: an owner's second may be one turn later.
    assert globex.was.p95 == 5_000 and globex.replayed.p95 in (5_000, 6_000)
    assert globex.then.p95 < 5_000 and acme.then.p50 >= acme.replayed.p50
    before = await trials.run("thumbnails", span.moved(-1), {})
    assert before.rows == () and before.turns == 0


async def test_what_is_not_recorded_any_more_is_counted_as_lacking(parts: Parts, trials: Trials) -> None:
    span = read_span("", "", now_ms())
    await parts.enqueuer.enqueue_many(probe.probe_echo, [probe.Echo()] * 4, owner="acme")
    jobs = await parts.claim(4)
    for job, kind in zip(jobs, ["completed", "completed", "failed", "cancelled"], strict=True):
        await parts.end(job, kind)
    assert (await trials.run("thumbnails", span, {})).turns == 4, "a failed one too"
    await parts.store.delete(jobs[0].id)
    await parts.store.purged([jobs[0].id])
    trial = await trials.run("thumbnails", span, {})
    assert (trial.turns, trial.lacking) == (3, 1)
    trials.turns_max = 2
    assert (await trials.run("thumbnails", span, {})).turns == 2


def test_the_busiest_time_and_percentiles() -> None:
    turns = [Turn(str(n), "acme", 0, 10, began_ms=5 * n) for n in range(4)]
    assert busiest(turns) == 2 and busiest([]) == 1
    assert percentile([3, 1, 2], 0.5) == 2 and percentile([1], 0.95) == 1
    assert percentile(range(100), 0.95) == 94
