"""Allowances by time, as the queue server counts them, and what they mean for jobs."""

import asyncio
import math

import pytest

from service.engine.enqueuer import Enqueuer, JobRequest
from service.engine.plans import NEVER, Allowance, over_mails
from service.engine.store import OverLimit, TooManyQueued
from service.engine.store.keys import permits
from settings import load_settings
from settings.plans import Limits, Plan
from tests.engine import probe
from tests.parts import Parts

MAILS = Plan(mails_per_hour=10)


def bounded(parts: Parts, plan: Plan, own: frozenset[str] = frozenset()) -> Enqueuer:
    """An enqueuer whose owners have one plan."""

    async def limits_of(owner: str) -> Limits:
        return Limits("free", plan, own)

    return Enqueuer(parts.store, load_settings().queues, limits_of=limits_of)


async def test_the_limit_may_be_taken_at_once_and_comes_back_evenly(parts: Parts) -> None:
    redis, mails = parts.store.redis, Allowance("mails", "acme", 10, 3600)
    taken = sorted(await asyncio.gather(*(mails.take(redis) for _ in range(12))))
    assert taken[:10] == [0] * 10 and all(0 < wait <= 360_000 for wait in taken[10:])
    assert await mails.used(redis) == 10
    # Half an hour later.
    stored = int(await redis.get(permits(mails.name)))
    await redis.set(permits(mails.name), stored - 1_800_000_000)
    assert await mails.used(redis) == 5
    assert await mails.take(redis, 6) > 0 and await mails.used(redis) == 5, "what is refused takes nothing"
    assert await mails.take(redis, 5) == 0 and await mails.used(redis) == 10
    assert await mails.take(redis, 11) == NEVER


async def test_each_owner_has_its_own_and_a_new_limit_begins_with_nothing_used(parts: Parts) -> None:
    redis = parts.store.redis
    assert await Allowance("mails", "acme", 3, 60).take(redis, 3) == 0
    assert await Allowance("mails", "globex", 3, 60).take(redis, 3) == 0
    assert await Allowance("mails", "acme", 3, 60).take(redis) > 0
    assert await Allowance("mails", "acme", 4, 60).used(redis) == 0


async def test_a_clock_set_back_gives_nobody_more_and_stops_nobody_for_long(parts: Parts) -> None:
    redis, requests = parts.store.redis, Allowance("requests", "acme", 60, 60)
    await requests.take(redis, 60)
    stored = int(await redis.get(permits(requests.name)))
    await redis.set(permits(requests.name), stored + 86_400_000_000)
    assert await requests.take(redis) == pytest.approx(1000, abs=1)


async def test_messages_are_taken_with_the_job_or_not_at_all(parts: Parts) -> None:
    enqueuer, redis = bounded(parts, MAILS), parts.store.redis
    first = await enqueuer.enqueue(probe.probe_echo, probe.Echo(), owner="acme", mails=7, idempotency_key="a")
    again = await enqueuer.enqueue(probe.probe_echo, probe.Echo(), owner="acme", mails=7, idempotency_key="a")
    assert again.job_id == first.job_id and await Allowance("mails", "acme", 10, 3600).used(redis) == 7
    with pytest.raises(OverLimit) as over:
        await enqueuer.enqueue(probe.probe_echo, probe.Echo(), owner="acme", mails=4)
    assert str(over.value).startswith(
        "Your plan free allows 10 mails an hour and this job sends 4; there is room for them in"
    )
    assert 0 < over.value.retry_after_s <= 360
    with pytest.raises(OverLimit, match="this job sends 11: ask for fewer at a time"):
        await enqueuer.enqueue(probe.probe_echo, probe.Echo(), owner="acme", mails=11)
    await enqueuer.enqueue(probe.probe_echo, probe.Echo(), owner="acme", mails=3)
    assert len((await parts.store.list(owner="acme")).jobs) == 2


async def test_of_jobs_that_go_together_all_take_their_messages_or_none(parts: Parts) -> None:
    enqueuer, mails = bounded(parts, MAILS), Allowance("mails", "acme", 10, 3600)
    four = [JobRequest(probe.probe_echo, probe.Echo(), mails=4)] * 3
    together = await enqueuer.enqueue_together(four, owner="acme", all_or_nothing=True)
    assert together[:2] == [None, None] and isinstance(together[2], OverLimit)
    assert await mails.used(parts.store.redis) == 0 and not (await parts.store.list(owner="acme")).jobs
    alone = await enqueuer.enqueue_together(four, owner="acme", all_or_nothing=False)
    assert isinstance(alone[2], OverLimit) and await mails.used(parts.store.redis) == 8
    assert len((await parts.store.list(owner="acme")).jobs) == 2


async def test_the_plan_bounds_waiting_jobs_below_the_queue(parts: Parts) -> None:
    enqueuer = bounded(parts, Plan(queued_jobs=2), frozenset({"queued_jobs"}))
    for _ in range(2):
        await enqueuer.enqueue(probe.probe_echo, probe.Echo(), owner="acme")
    with pytest.raises(TooManyQueued) as full:
        await enqueuer.enqueue(probe.probe_echo, probe.Echo(), owner="acme")
    sentence = "Your own limit (plan free) allows 2 waiting jobs, and so many wait already; try again in 30 s"
    assert str(full.value) == sentence


async def test_a_job_over_its_messages_takes_nobody_elses_place(parts: Parts) -> None:
    enqueuer = bounded(parts, Plan(queued_jobs=2, mails_per_hour=1))
    jobs = [JobRequest(probe.probe_echo, probe.Echo(), mails=count) for count in (1, 5, 0, 0)]
    found = await enqueuer.enqueue_together(jobs, owner="acme", all_or_nothing=False)
    assert [isinstance(one, OverLimit) for one in found] == [False, True, False, True]
    assert isinstance(found[3], TooManyQueued)


async def test_a_job_has_no_higher_priority_than_its_plan_and_carries_its_weight(parts: Parts) -> None:
    enqueuer = bounded(parts, Plan(priority="normal", weight=2))
    made = await enqueuer.enqueue(probe.probe_echo, probe.Echo(), owner="acme", priority="high")
    assert made.warning == "It is queued at normal priority, the highest of your plan free."
    (low,) = await enqueuer.enqueue_many(probe.probe_echo, [probe.Echo()], owner="acme", priority="low")
    job, other = await parts.store.get_many([made.job_id, low])
    assert job is not None and (job.priority, job.weight) == ("normal", 2.0)
    assert other is not None and (other.priority, other.weight) == ("low", 2.0)
    scheduled = await enqueuer.request(probe.probe_echo, probe.Echo(), owner="acme", priority="high")
    assert (scheduled.priority, scheduled.weight) == ("normal", 2)


def test_a_refusal_says_when_there_is_room() -> None:
    over = over_mails(Limits("free", MAILS), 3, 754_321)
    assert (over.retry_after_s, str(over)[-21:]) == (math.ceil(754.321), "for them in 0:12:35 h")
