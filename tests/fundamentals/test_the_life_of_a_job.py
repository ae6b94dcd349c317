"""Read me first: what a job is, how it is sent, and what becomes of it.

A job type is a payload and a coroutine; `tests/engine/probe.py` declares those used here. A client queues a payload; any
worker of the queue takes it; every client that holds the id can watch. Nothing below waits for a time: it waits for what must come.
"""

from datetime import UTC, datetime, timedelta

import pytest

from service.engine.enqueuer import Enqueuer
from service.engine.states import State
from service.engine.store import IdempotencyConflict, Store, WrongState
from tests.engine.probe import Echo, Spread, Trouble, probe_echo, probe_spread, probe_trouble
from tests.waiting import until_state


async def test_a_job_is_accepted_before_any_worker_knows_of_it(store: Store, enqueuer: Enqueuer) -> None:
    accepted = await enqueuer.enqueue(probe_echo, Echo(word="hello"), owner="acme")
    assert accepted.status == "queued"

    job = await store.present(accepted.job_id)
    assert (job.state, job.owner, job.payload) == (State.QUEUED, "acme", {"word": "hello"})


async def test_a_worker_takes_it_and_its_result_is_kept(store: Store, enqueuer: Enqueuer, start_worker) -> None:
    accepted = await enqueuer.enqueue(probe_echo, Echo(word="hello"), owner="acme")
    start_worker()

    job = await until_state(store, accepted.job_id)
    assert (job.state, job.progress, job.result) == (State.COMPLETED, 100, {"word": "hello"})


async def test_the_same_idempotency_key_is_the_same_job(store: Store, enqueuer: Enqueuer) -> None:
    once = await enqueuer.enqueue(probe_echo, Echo(word="hello"), owner="acme", idempotency_key="order-7")
    again = await enqueuer.enqueue(probe_echo, Echo(word="hello"), owner="acme", idempotency_key="order-7")
    assert again.job_id == once.job_id

    with pytest.raises(IdempotencyConflict, match="order-7"):
        await enqueuer.enqueue(probe_echo, Echo(word="goodbye"), owner="acme", idempotency_key="order-7")


async def test_a_job_for_later_waits_and_can_be_cancelled(store: Store, enqueuer: Enqueuer) -> None:
    tomorrow = datetime.now(UTC) + timedelta(days=1)
    accepted = await enqueuer.enqueue(probe_echo, Echo(), owner="acme", schedule_at=tomorrow)
    assert accepted.status == "scheduled"

    assert (await store.cancel(accepted.job_id)).state is State.CANCELLED
    with pytest.raises(WrongState, match="can no longer be cancelled"):
        await store.cancel(accepted.job_id)


async def test_what_fails_is_tried_again_and_then_kept_as_a_dead_letter(
    store: Store, enqueuer: Enqueuer, start_worker
) -> None:
    start_worker()
    passing = await enqueuer.enqueue(probe_trouble, Trouble(kind="error", until_attempt=2), owner="acme")
    lasting = await enqueuer.enqueue(probe_trouble, Trouble(kind="error"), owner="acme")
    hopeless = await enqueuer.enqueue(probe_trouble, Trouble(kind="permanent"), owner="acme")

    assert (await until_state(store, passing.job_id)).attempt == 2
    dead = await until_state(store, lasting.job_id)
    assert (dead.state, dead.attempt) == (State.FAILED, 3)
    assert [attempt.outcome for attempt in await store.attempts(dead.id)] == ["failed", "failed", "failed"]
    assert (await until_state(store, hopeless.job_id)).attempt == 1, "a retry cannot fix a permanent error"


async def test_a_large_job_is_done_in_parts(store: Store, enqueuer: Enqueuer, start_worker) -> None:
    start_worker()
    accepted = await enqueuer.enqueue(probe_spread, Spread(parts=20, bad=[3]), owner="acme")

    job = await until_state(store, accepted.job_id)
    assert (job.parts_done, job.parts_failed) == (19, 1)
    assert job.state is State.COMPLETED, "one bad part does not kill the whole: the task decides what it means"
    assert job.result["bad"] == [4]
