"""Outcomes travel together, and one that cannot be recorded takes no other with it."""

import asyncio

import msgspec

from service.engine.batching import Batcher
from service.engine.outcomes import OutcomeKind
from service.engine.states import State
from service.engine.store.script_inputs import Claim, Outcome
from tests.engine import probe


async def test_a_poisonous_outcome_costs_only_itself(store, enqueuer) -> None:
    ids = await enqueuer.enqueue_many(probe.probe_echo, [probe.Echo()] * 3, owner="acme")
    known = msgspec.msgpack.encode(["probe-echo"])
    jobs = (await store.claimed(Claim("thumbnails", "w", 3, 10_000, known))).jobs
    kinds = ["completed", "no such kind", "completed"]
    outcomes = Batcher(store.until_back.settled)
    sent = [outcomes.soon(Outcome(job.id, job.queue, job.fence, kind)) for job, kind in zip(jobs, kinds, strict=True)]
    assert await asyncio.gather(*sent) == ["completed", "lost", "completed"]
    states = [(await store.present(job_id)).state for job_id in ids]
    assert states == [State.COMPLETED, State.ACTIVE, State.COMPLETED]


async def test_an_outcome_that_fails_half_way_leaves_nothing_half_done(store, enqueuer) -> None:
    """What its script had put together when it failed is not written: else the job would stand in no queue forever."""
    known = msgspec.msgpack.encode(["probe-echo"])
    await enqueuer.enqueue_many(probe.probe_echo, [probe.Echo()] * 2, owner="acme")
    first, second = (await store.claimed(Claim("thumbnails", "w", 2, 10_000, known))).jobs
    following = await enqueuer.request(probe.probe_echo, probe.Echo(), job_id="probe-echo-next", owner="acme")
    following.fields = [["no", "text"]]
    outcomes = [
        Outcome(first.id, first.queue, first.fence, OutcomeKind.COMPLETED, next=[following]),
        Outcome(second.id, second.queue, second.fence, OutcomeKind.COMPLETED),
    ]
    assert [word.partition(" ")[0] for word in await store.settled(outcomes)] == ["error", "completed"]
    assert (await store.present(first.id)).state is State.ACTIVE
    assert await store.redis.zscore("thumbnails", first.id) is not None
    counts = (await store.counts())["thumbnails"]
    assert (counts[State.ACTIVE], counts[State.COMPLETED], counts[State.QUEUED]) == (1, 1, 0)
    assert await store.get("probe-echo-next") is None
    assert await store.settled([Outcome(first.id, first.queue, first.fence, OutcomeKind.COMPLETED)]) == ["completed"]
