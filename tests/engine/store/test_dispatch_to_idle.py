"""A job that finds no job before it and a worker with a free slot is leased to that worker as it is enqueued."""

import os
import signal

import msgspec
import pytest

from service.engine.states import State
from service.engine.store import channels, keys
from service.engine.store.records import dispatched_job
from service.engine.store.script_inputs import Claim, IdleOffer, Outcome
from service.lib.clock import now_ms
from tests.engine import probe
from tests.engine.store.proof.entry import leases_given
from tests.waiting import LIMIT_S, until_state, wait_until_async

QUEUE = "thumbnails"
KNOWN = msgspec.msgpack.encode(["probe-echo"])

OFFER = IdleOffer(60_000)


class Worker:
    """A worker played by the test: it listens on its channel, and looks at the queue when told to."""

    def __init__(self, store, pubsub, name: str) -> None:
        self.store, self.pubsub, self.name = store, pubsub, name

    async def poll(self, slots: int = 1, *, known: bytes = KNOWN, offer: IdleOffer = OFFER) -> list:
        return (await self.store.claimed(Claim(QUEUE, self.name, slots, 60_000, known), offer)).jobs

    async def words(self) -> list[bytes]:
        """What was said on the channel until now, but for what looks say there themselves."""
        await self.store.redis.publish(channels.of_worker(self.name), b"mark")
        text = []
        while (message := await self.pubsub.get_message(timeout=LIMIT_S))["data"] != b"mark":
            text.append(message["data"])
        return [word for word in text if word != channels.ALIVE]


@pytest.fixture
async def worker(store):
    pubsub = store.redis.pubsub(ignore_subscribe_messages=True)
    await pubsub.subscribe(channels.of_worker("w"))
    await pubsub.get_message(timeout=LIMIT_S)
    yield Worker(store, pubsub, "w")
    await pubsub.aclose()


async def echo(enqueuer, **how) -> str:
    accepted = await enqueuer.enqueue(probe.probe_echo, probe.Echo(word="x"), owner="acme", **how)
    assert accepted.status in ("queued", "scheduled")
    return accepted.job_id


async def test_it_is_the_idle_worker_s_without_being_asked_for(store, enqueuer, worker) -> None:
    assert await worker.poll() == []
    before_ms = now_ms()
    job_id = await echo(enqueuer)
    job = await store.present(job_id)
    (word,) = await worker.words()
    assert dispatched_job(word) == job, "what is dispatched is the record"
    assert (job.state, job.worker, job.attempt, job.payload) == (State.ACTIVE, "w", 1, {"word": "x"})
    assert leases_given(job.fence) == 1
    assert job.started_ms == job.first_started_ms and before_ms - 1000 < job.started_ms < now_ms() + 1000
    assert (await store.counts())[QUEUE][State.ACTIVE] == 1
    assert await store.renewed(QUEUE, 60_000, [(job_id, job.fence)]) == ([], [])
    assert await store.settled([Outcome(job_id, QUEUE, job.fence, "completed", result="1")]) == ["completed"]
    assert (await store.backlog_ms())[QUEUE] == 0, "what never waited is not in the backlog"


async def test_no_more_is_handed_than_there_is_room_for(store, enqueuer, worker) -> None:
    await worker.poll(2)
    ids = [await echo(enqueuer) for _ in range(3)]
    states = [(await store.present(job_id)).state for job_id in ids]
    assert states == [State.ACTIVE, State.ACTIVE, State.QUEUED]
    assert [job.id for job in await worker.poll(2)] == ids[2:]


async def test_many_at_once_fill_the_room_and_the_rest_wait_in_order(store, enqueuer, worker) -> None:
    await worker.poll(2)
    ids = await enqueuer.enqueue_many(probe.probe_echo, [probe.Echo(word="x")] * 5, owner="acme")
    assert [(await store.present(job_id)).state for job_id in ids] == [State.ACTIVE] * 2 + [State.QUEUED] * 3
    assert [job.id for job in await worker.poll(5)] == ids[2:]


@pytest.mark.parametrize("kind", ["pause", "limit", "rate"])
async def test_a_steered_queue_hands_nothing(store, enqueuer, worker, kind: str) -> None:
    await worker.poll()
    await store.controls.set(QUEUE, kind, 1, reason="gently", by="ann")
    assert (await store.present(await echo(enqueuer))).state is State.QUEUED
    assert await worker.words() == []


async def test_nothing_overtakes_a_job_that_waits(store, enqueuer, worker) -> None:
    first = await echo(enqueuer)
    await worker.poll(known=msgspec.msgpack.encode(["another"]))
    await echo(enqueuer)
    assert (await worker.poll(2))[0].id == first


async def test_a_type_that_the_worker_does_not_know_waits(store, enqueuer, worker) -> None:
    await worker.poll(known=msgspec.msgpack.encode(["another"]))
    assert (await store.present(await echo(enqueuer))).state is State.QUEUED


async def test_a_worker_that_has_not_looked_for_long_or_no_longer_listens_is_passed_over(
    store, enqueuer, worker
) -> None:
    await worker.poll(offer=IdleOffer(1))
    deadline_ms = now_ms() + 5
    await wait_until_async(lambda: now_ms() > deadline_ms)
    assert (await store.present(await echo(enqueuer))).state is State.QUEUED
    (job,) = await worker.poll()
    await store.settled([Outcome(job.id, QUEUE, job.fence, "completed", result="1")])
    await worker.poll()
    await worker.pubsub.unsubscribe(channels.of_worker("w"))

    async def unheard() -> bool:
        return (await store.redis.pubsub_numsub(channels.of_worker("w")))[0][1] == 0

    await wait_until_async(unheard)
    assert (await store.present(await echo(enqueuer))).state is State.QUEUED
    assert not await store.redis.exists(keys.idle(QUEUE))


async def test_a_worker_is_handed_nothing_before_it_has_heard_itself(store, enqueuer, worker) -> None:
    await worker.poll(offer=IdleOffer(60_000, channel_alive=False))
    assert (await worker.pubsub.get_message(timeout=LIMIT_S))["data"] == channels.ALIVE
    assert (await store.present(await echo(enqueuer))).state is State.QUEUED


async def test_whoever_declines_hears_the_last_of_it_in_order(store, enqueuer, worker) -> None:
    await worker.poll(5)
    job_id = await echo(enqueuer)
    assert await store.offer_withdrawn(QUEUE, "w")
    assert (await store.present(await echo(enqueuer))).state is State.QUEUED
    dispatched, last = await worker.words()
    assert dispatched_job(dispatched).id == job_id and last == channels.NO_MORE


async def test_a_worker_that_turns_out_to_be_busy_hands_it_back(store, enqueuer, start_worker, ledger) -> None:
    """As when its own claim and an enqueue met: here its note is forged while it is full."""
    start_worker()
    (worker,) = await wait_until_async(store.workers)
    busy = await enqueuer.enqueue_many(
        probe.probe_steps, [probe.Steps(steps=50, step_s=0.1)] * worker.slots, owner="acme"
    )
    await wait_until_async(lambda: len(ledger.lines("begin")) == worker.slots)
    # Stopped, for it would take back the offer, or return the job, before either is seen.
    os.kill(worker.pid, signal.SIGSTOP)
    await store.redis.hset(keys.idle(QUEUE), worker.id, f"{now_ms() + 60_000} 2000 1 probe-echo ")
    job_id = await echo(enqueuer)
    assert (await store.present(job_id)).worker == worker.id
    os.kill(worker.pid, signal.SIGCONT)
    await wait_until_async(lambda: ledger.lines("echo"))
    job = await store.present(job_id)
    assert (leases_given(job.fence), job.attempt) == (2, 1), "leased twice, tried once"
    assert [(await store.present(one)).attempt for one in busy] == [1] * worker.slots


@pytest.mark.chaos
@pytest.mark.slow
async def test_workers_may_come_and_go_while_jobs_are_handed_out(store, enqueuer, start_worker, ledger) -> None:
    workers = [start_worker(), start_worker()]
    await wait_until_async(store.workers)
    ids = []
    for number in range(120):
        ids.append(await echo(enqueuer))
        await wait_until_async(lambda: len(ledger.lines("echo")) > len(ids) - 5)
        if number % 30 == 15:
            workers.pop(0).terminate()
            workers.append(start_worker())

    async def all_done() -> bool:
        return (await store.counts())[QUEUE][State.COMPLETED] == len(ids)

    await wait_until_async(all_done)
    assert sorted(line[0] for line in ledger.lines("echo")) == sorted(ids), "each ran once"
    assert {(await store.present(job_id)).attempt for job_id in ids} == {1}


async def test_a_job_that_is_cancelled_before_its_worker_has_begun_it_does_not_begin(
    store, enqueuer, start_worker, ledger
) -> None:
    worker = start_worker()
    await wait_until_async(lambda: store.redis.hlen(keys.idle(QUEUE)))
    os.kill(worker.pid, signal.SIGSTOP)
    job_id = await echo(enqueuer)
    assert (await store.cancel(job_id)).state is State.ACTIVE
    os.kill(worker.pid, signal.SIGCONT)

    assert (await until_state(store, job_id)).state is State.CANCELLED and not ledger.lines("echo")
