"""Jobs that wait for events from outside, over the shipped scripts: put aside without a slot, and never lost."""

from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from service.engine.outcomes import OutcomeKind
from service.engine.redis.client import connect
from service.engine.states import State
from service.engine.store import Job, LeaseLost, NoSuchJob, Store, WrongState, keys
from service.engine.store.script_inputs import Claim, Outcome
from service.lib.clock import now_ms
from tests.engine.limited import KNOWN
from tests.engine.store.test_limit_keys import end, lose_lease, see_that_it_is_consistent, touch

QUEUE = "thumbnails"
HOUR_MS = 3_600_000


async def claim(store: Store, *, reap: bool = False) -> Job | None:
    jobs = (await store.claimed(Claim(QUEUE, "w", 1, 60_000, KNOWN, reap=reap))).jobs
    return jobs[0] if jobs else None


async def begun(store: Store, job_id: str = "1", **more: Any) -> Job:
    await store.queued([touch(job_id, **more)])
    job = await claim(store)
    assert job and job.id == job_id
    return job


async def ask(store: Store, job: Job, event: str = "approved", timeout_ms: int = HOUR_MS) -> tuple[str, bytes]:
    return await store.awaited(job, event, timeout_ms, "May it go on?", "May it go on?")


async def put_aside(store: Store, job: Job, event: str = "approved") -> None:
    assert (await ask(store, job, event))[0] == "waits"
    assert await end(store, job, OutcomeKind.SUSPEND) == "active"


async def time_over(store: Store, job_id: str, event: str = "approved") -> None:
    """The time of its wait is over."""
    await store.redis.hset(keys.events(job_id), f"due:{event}", 1)
    # The same moment stands in the record of a job that is about to be put aside for it.
    if await store.redis.hget(keys.job(job_id), "waits_event") == event.encode():
        await store.redis.hset(keys.job(job_id), "wait_due_ms", 1)
    if await store.redis.zscore(QUEUE, job_id) is not None:
        await store.redis.zadd(QUEUE, {job_id: now_ms() - 1_000})


async def test_it_waits_without_a_slot_and_goes_on_with_the_body(store: Store) -> None:
    await put_aside(store, await begun(store))
    waiting = await store.present("1")
    assert (waiting.state, waiting.waiting_for, waiting.question) == (State.ACTIVE, "approved", "May it go on?")
    assert await store.redis.hlen(keys.running(QUEUE)) == 0 and await claim(store, reap=True) is None
    await store.event_came("1", "approved", b'{"yes":1}', "acme")
    assert (await store.present("1")).message == "Goes on: the event approved has come"
    job = await claim(store)
    assert job and (job.id, job.attempt) == ("1", 1), "the same attempt goes on"
    assert await ask(store, job) == ("here", b'{"yes":1}')
    assert (await store.present("1")).waiting_for == ""
    assert await end(store, job) == "completed"


async def test_one_that_comes_before_it_is_asked_for_is_kept(store: Store) -> None:
    await store.queued([touch("1")])
    await store.event_came("1", "approved", b"1", "acme")
    job = await claim(store)
    assert job and await ask(store, job) == ("here", b"1")


async def test_one_that_comes_between_the_question_and_the_putting_aside_is_not_missed(store: Store) -> None:
    job = await begun(store)
    assert (await ask(store, job))[0] == "waits"
    await store.event_came("1", "approved", b"1", "acme")
    assert await end(store, job, OutcomeKind.SUSPEND) == "active"
    again = await claim(store)
    assert again and await ask(store, again) == ("here", b"1")


async def test_after_its_time_it_goes_on_and_is_told_so(store: Store) -> None:
    await put_aside(store, await begun(store))
    await time_over(store, "1")
    with pytest.raises(WrongState, match="has gone on without it"):
        await store.event_came("1", "approved", b"1", "acme")
    job = await claim(store)
    assert job and (await ask(store, job))[0] == "late"
    await end(store, job, OutcomeKind.FAILED, fields=["error", "no answer"])
    await store.retry("1")
    job = await claim(store)
    assert job and (await ask(store, job))[0] == "waits", "an operator's retry asks once more"


async def test_the_end_of_a_wait_is_due_in_its_queue(store: Store) -> None:
    await put_aside(store, await begun(store))
    claimed = await store.claimed(Claim(QUEUE, "w", 1, 60_000, KNOWN))
    assert 0 < claimed.next_due_ms <= HOUR_MS


@pytest.mark.parametrize("when", ["running", "put aside"])
async def test_a_crash_loses_no_event(store: Store, when: str) -> None:
    job = await begun(store)
    await ask(store, job)
    if when == "put aside":
        await end(store, job, OutcomeKind.SUSPEND)
    else:
        await lose_lease(store, "1")
    await store.event_came("1", "approved", b"1", "acme")
    again = await claim(store, reap=True)
    assert again and await ask(store, again) == ("here", b"1")
    if when == "running":
        with pytest.raises(LeaseLost):
            await ask(store, job)


async def test_a_wait_can_be_cancelled(store: Store) -> None:
    await put_aside(store, await begun(store))
    assert (await store.cancel("1")).state is State.CANCELLED
    assert await store.redis.zscore(QUEUE, "1") is None
    with pytest.raises(WrongState, match="no event reaches it"):
        await store.event_came("1", "approved", b"1", "acme")
    await store.purged(["1"])
    assert await store.redis.exists(keys.events("1")) == 0
    with pytest.raises(NoSuchJob):
        await store.event_came("1", "approved", b"1", "acme")


async def test_the_first_of_a_name_stands(store: Store) -> None:
    await begun(store)
    await store.event_came("1", "approved", b"1", "acme")
    await store.event_came("1", "approved", b"1", "acme")
    with pytest.raises(WrongState, match="the first one stands"):
        await store.event_came("1", "approved", b"2", "acme")


async def test_a_job_keeps_no_more_events_than_any_task_asks_for(store: Store) -> None:
    await begun(store)
    with pytest.raises(WrongState, match="100 events"):
        for n in range(200):
            await store.event_came("1", f"e{n}", b"1", "acme")


async def test_its_key_is_held_while_it_waits(store: Store) -> None:
    await put_aside(store, await begun(store, file_id="f"))
    await store.queued([touch("2", file_id="f")])
    assert await claim(store) is None
    await see_that_it_is_consistent(store)


moves = st.lists(
    st.sampled_from(
        ["queue", "claim", "ask a", "ask b", "suspend", "event a", "event b", "over", "crash", "hand back", "cancel"]
    ),
    max_size=30,
)


@settings(max_examples=25, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(script=moves)
async def test_any_order_of_waits_events_and_crashes_ends(redis_url: str, script: list[str]) -> None:
    """A task that asks for `a`, then for `b`: whatever happened, once both came or are late it completes."""
    redis = connect(redis_url)
    try:
        await redis.flushall()
        store = Store(redis)
        await store.queued([touch("1")])
        held: Job | None = None
        for move in script:
            if move == "claim" and held is None:
                held = await claim(store, reap=True)
            elif move.startswith("ask") and held:
                await ask(store, held, move[-1])
            elif move.startswith("event"):
                try:
                    await store.event_came("1", move[-1], b"1", "acme")
                except WrongState:
                    assert (await store.present("1")).state.terminal or await late(store, move[-1])
            elif move == "over":
                await time_over(store, "1", "a")
            elif move == "crash" and held:
                await lose_lease(store, "1")
                held = None
            elif move in ("suspend", "hand back") and held:
                await end(store, held, OutcomeKind.SUSPEND if move == "suspend" else OutcomeKind.HANDBACK)
                held = None
            elif move == "cancel" and not held and not (await store.present("1")).state.terminal:
                await store.cancel("1")
        await _play_out(store, held)
        job = await store.present("1")
        assert job.state.terminal and await redis.zscore(QUEUE, "1") is None
        assert await redis.hlen(keys.running(QUEUE)) == 0
    finally:
        await redis.aclose(close_connection_pool=True)


async def late(store: Store, event: str) -> bool:
    due = await store.redis.hget(keys.events("1"), f"due:{event}")
    return due is not None and int(due) <= 1


async def _play_out(store: Store, held: Job | None) -> None:
    """The task runs as it is written, with a worker that lives, and both events come."""
    for _ in range(12):
        if (await store.present("1")).state.terminal:
            return
        held = held or await claim(store, reap=True)
        if held is None:
            job = await store.present("1")
            if job.state.terminal:  # its third crash in a row ended it as the claim found it
                return
            waiting = job.waiting_for
            assert waiting, "it waits for nothing, and is nowhere"
            await store.event_came("1", waiting, b"1", "acme")
            continue
        for event in "ab":
            if (await ask(store, held, event))[0] == "waits":
                await store.settled([Outcome("1", QUEUE, held.fence, OutcomeKind.SUSPEND)])
                break
        else:
            await end(store, held)
        held = None
    raise AssertionError("it does not end")


async def test_one_that_is_queued_again_waits_for_no_event_of_the_time_before(store: Store) -> None:
    """It was cancelled as it waited, and waits for a part after its retry."""
    await put_aside(store, await begun(store))
    await store.cancel("1")
    await store.retry("1")
    job = await claim(store)
    assert job is not None
    await store.redis.hset(keys.job("1"), "waiting_parts", 1)
    await end(store, job, OutcomeKind.SUSPEND)
    assert await store.redis.zscore(QUEUE, "1") is None
    assert not (await store.present("1")).waiting_for
