"""Breakers of queues, over the shipped scripts: a queue that fails with one error pauses, tries one job, and goes on."""

from collections.abc import Callable
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from service.engine.enqueuer import Enqueuer
from service.engine.outcomes import OutcomeKind
from service.engine.redis.client import connect
from service.engine.states import State
from service.engine.store import Job, Store, keys
from service.engine.store.breakers import BREAKER, BreakerBounds, BreakerState, events, forget_events, read_breaker
from service.engine.store.script_inputs import Claim, IdleOffer, Outcome
from service.lib.clock import now_ms
from tests.engine import probe
from tests.engine.conftest import Ledger, WorkerProcess
from tests.engine.limited import KNOWN
from tests.engine.store.test_limit_keys import lose_lease, touch
from tests.waiting import until_state, wait_until_async

QUEUE = "thumbnails"
AFTER, WAIT_MS = 3, 60_000
DOWN = "ConnectionError: no answer"


@pytest.fixture
def breaking(store: Store) -> Store:
    store.breakers = BreakerBounds(AFTER, WAIT_MS)
    return store


async def claim(store: Store, count: int = 10, *, reap: bool = False) -> list[Job]:
    return (await store.claimed(Claim(QUEUE, "w", count, 60_000, KNOWN, reap=reap))).jobs


async def fail(store: Store, job: Job, print: str = "down", kind: OutcomeKind = OutcomeKind.RETRY) -> str:
    outcome = Outcome(
        job.id,
        QUEUE,
        job.fence,
        kind,
        fields=["error", DOWN],
        attempt={"number": job.attempt},
        fingerprint=print,
        problem=DOWN,
    )
    return (await store.settled([outcome]))[0]


async def end(store: Store, job: Job, kind: OutcomeKind = OutcomeKind.COMPLETED, **more: Any) -> str:
    return (await store.settled([Outcome(job.id, QUEUE, job.fence, kind, **more)]))[0]


async def state_of(store: Store) -> BreakerState | None:
    return read_breaker(await store.redis.hget(keys.queue(QUEUE), "breaker"))


async def opened(store: Store) -> list[Job]:
    """Three of six jobs have failed in a row; the three that run are returned."""
    await store.queued([touch(str(n), f"o{n}") for n in range(6)])
    jobs = await claim(store)
    for job in jobs[:AFTER]:
        await fail(store, job)
    assert await state_of(store)
    return jobs[AFTER:]


async def pause_over(store: Store) -> None:
    """Its time is over, and so is the wait of the jobs that were put back."""
    state = await state_of(store)
    assert state
    raw = await store.redis.hget(keys.queue(QUEUE), "breaker")
    await store.redis.hset(
        keys.queue(QUEUE), "breaker", raw.replace(str(state.until_ms).encode(), b"1") if raw else b""
    )
    for row in await store.redis.zrange(QUEUE, 0, -1):
        job = await store.present(row.decode())
        if job.state is State.RETRYING:
            await store.redis.zadd(QUEUE, {job.id: now_ms() - 1_000})


async def test_jobs_in_a_row_with_one_error_pause_their_queue(breaking: Store) -> None:
    await opened(breaking)
    await breaking.queued([touch("new")])
    assert await claim(breaking) == []
    hold = (await breaking.controls.holds(QUEUE))["pause"]
    assert (hold.by, hold.until_ms is not None) == (BREAKER, True)
    assert hold.reason == (
        f"3 jobs in a row failed with one error, and no try is spent on it; then one job is tried alone: {DOWN}"
    )
    (event,) = await events(breaking.redis, 10)
    assert (event.queue, event.what, event.jobs, event.error) == (QUEUE, "opened", 3, DOWN)
    await forget_events(breaking.redis, 1)
    assert await events(breaking.redis, 10) == []


async def test_what_runs_as_it_opens_spends_no_try(breaking: Store) -> None:
    for job in await opened(breaking):
        assert await fail(breaking, job, kind=OutcomeKind.FAILED) == "retrying", "not even its last one"
        put_back = await breaking.present(job.id)
        assert (put_back.attempt, put_back.error) == (0, None) and DOWN in put_back.message
        assert await breaking.attempts(job.id) == []
    assert [(await breaking.present(str(n))).attempt for n in range(3)] == [1, 1, 0], "the third opened it"


async def test_then_one_job_is_tried_at_a_time_and_a_failure_waits_for_longer(breaking: Store) -> None:
    for job in await opened(breaking):
        await fail(breaking, job)
    await pause_over(breaking)
    (canary,) = await claim(breaking)
    assert await claim(breaking) == []
    hold = (await breaking.controls.holds(QUEUE))["pause"]
    assert f"{canary.id} is tried alone" in hold.reason and hold.until_ms is None
    assert await fail(breaking, canary) == "retrying"
    state = await state_of(breaking)
    assert state and state.wait_ms == 2 * WAIT_MS and await claim(breaking) == []
    await pause_over(breaking)
    (canary,) = await claim(breaking)
    assert await end(breaking, canary) == "completed"
    assert await state_of(breaking) is None and len(await claim(breaking)) == 5
    assert [event.what for event in await events(breaking.redis, 10)] == ["opened", "closed"]
    assert await breaking.controls.holds(QUEUE) == {}


@pytest.mark.parametrize("between", ["completed", "another error", "bad input"])
async def test_only_failures_in_a_row_with_one_error_count(breaking: Store, between: str) -> None:
    await breaking.queued([touch(str(n), f"o{n}") for n in range(6)])
    jobs = await claim(breaking)
    await fail(breaking, jobs[0])
    await fail(breaking, jobs[1])
    if between == "completed":
        await end(breaking, jobs[2])
    elif between == "another error":
        await fail(breaking, jobs[2], "other")
    else:
        await end(breaking, jobs[2], OutcomeKind.FAILED, fields=["error", "blank"])
    await fail(breaking, jobs[3])
    assert (await state_of(breaking) is None) == (between != "bad input"), "bad input says nothing about the queue"


async def test_one_job_that_fails_again_and_again_opens_nothing(breaking: Store) -> None:
    await breaking.queued([touch("1")])
    for _ in range(5):
        (job,) = await claim(breaking)
        await fail(breaking, job)
        await breaking.redis.zadd(QUEUE, {"1": now_ms() - 1_000})
    assert await state_of(breaking) is None


async def test_parts_of_one_job_are_one_job(breaking: Store) -> None:
    await breaking.queued([touch(f"1.{n}", f"o{n}", parent="1") for n in range(5)])
    for part in await claim(breaking):
        await fail(breaking, part)
    assert await state_of(breaking) is None


@pytest.mark.parametrize("how", ["crash", "bad input", "another error", "cancel"])
async def test_a_canary_that_proves_nothing_is_followed_by_another(breaking: Store, how: str) -> None:
    for job in await opened(breaking):
        await fail(breaking, job)
    await pause_over(breaking)
    (canary,) = await claim(breaking)
    if how == "crash":
        await lose_lease(breaking, canary.id)
    elif how == "bad input":
        await end(breaking, canary, OutcomeKind.FAILED, fields=["error", "blank"])
    elif how == "another error":
        await fail(breaking, canary, "other")
    else:
        await end(breaking, canary, OutcomeKind.CANCELLED)
    assert len(await claim(breaking, reap=True)) == 1 and await state_of(breaking)


async def test_no_job_is_dispatched_past_an_open_breaker(breaking: Store) -> None:
    await opened(breaking)
    pubsub = breaking.redis.pubsub()
    await pubsub.subscribe("offload:hand:w")
    await breaking.claimed(Claim(QUEUE, "w", 4, 60_000, KNOWN), IdleOffer(60_000))
    await breaking.queued([touch("new")])
    assert (await breaking.present("new")).state is State.QUEUED
    await pubsub.aclose()


async def test_an_operator_closes_it(breaking: Store) -> None:
    await opened(breaking)
    await breaking.queued([touch("new")])
    await breaking.controls.remove(QUEUE, "pause")
    assert "new" in [job.id for job in await claim(breaking)]


async def test_it_is_off_where_a_setting_says_so(store: Store) -> None:
    await store.queued([touch(str(n), f"o{n}") for n in range(9)])
    for job in await claim(store):
        await fail(store, job)
    assert await state_of(store) is None and await events(store.redis, 10) == []


async def test_a_queue_that_fails_keeps_its_jobs_until_it_is_repaired(
    store: Store, enqueuer: Enqueuer, start_worker: Callable[..., WorkerProcess], ledger: Ledger
) -> None:
    """Jobs without a second try, under a real worker: two are lost to learn that all would be."""
    bad = [probe.Piece(number=n, bad=True, part_s=0) for n in range(8)]
    ids = await enqueuer.enqueue_many(probe.probe_piece, bad, owner="acme")
    start_worker(OFFLOAD_BREAKER_JOBS="3", OFFLOAD_BREAKER_WAIT_S="1")

    async def tried_again() -> bool:
        state = await state_of(store)
        return state is not None and state.wait_ms > 1_000

    await wait_until_async(tried_again)
    ledger.path.with_suffix(".fixed").touch()
    states = [(await until_state(store, job_id)).state for job_id in ids]
    assert sorted(states) == [State.COMPLETED] * 6 + [State.FAILED] * 2


steps = st.lists(
    st.tuples(
        st.sampled_from(["queue", "claim", "down", "other", "complete", "blank", "hand back", "over"]),
        st.integers(0, 3),
    ),
    max_size=40,
)


@settings(max_examples=50, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(script=steps)
async def test_in_any_order_at_most_one_is_tried_and_all_end(redis_url: str, script: list[tuple[str, int]]) -> None:
    redis = connect(redis_url)
    try:
        await redis.flushall()
        store = Store(redis, breakers=BreakerBounds(AFTER, WAIT_MS))
        running: list[Job] = []
        made = 0
        for name, number in script:
            before = await state_of(store)
            if name == "queue":
                await store.queued([touch(f"{made + n}", f"o{made + n}") for n in range(number + 1)])
                made += number + 1
            elif name == "claim":
                found = await claim(store, number + 1)
                trying = before is not None and any(job.id == before.canary for job in running)
                assert before is None or len(found) <= (before.until_ms <= 1 and not trying)
                running += found
            elif name == "over" and before:
                await pause_over(store)
            elif running:
                await _end(store, running.pop(number % len(running)), name)
        while await state_of(store) or running or made > await _ended(store):
            if await state_of(store):
                await pause_over(store)
            for row in await redis.zrangebyscore(QUEUE, 0, "+inf"):
                await redis.zadd(QUEUE, {row: now_ms() - 1_000})
            running = running or await claim(store)
            for job in running:
                await end(store, job)
            running = []
    finally:
        await redis.aclose(close_connection_pool=True)


async def _ended(store: Store) -> int:
    counts = (await store.counts())[QUEUE]
    return counts[State.COMPLETED] + counts[State.FAILED]


async def _end(store: Store, job: Job, name: str) -> None:
    before, state = await store.present(job.id), await state_of(store)
    if name in ("down", "other"):
        await fail(store, job, name)
        after = await store.present(job.id)
        if state is not None and state.print == name:
            assert after.attempt == before.attempt - 1, "no try is spent"
    elif name == "blank":
        await end(store, job, OutcomeKind.FAILED, fields=["error", "blank"])
    else:
        await end(store, job, OutcomeKind.COMPLETED if name == "complete" else OutcomeKind.HANDBACK)
