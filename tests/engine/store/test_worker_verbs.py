"""Outcomes travel together, and one that cannot be recorded takes no other with it."""

import asyncio
from dataclasses import replace

import msgspec
from arq.connections import ArqRedis

from service.engine.batching import Batcher
from service.engine.outcomes import OutcomeKind
from service.engine.states import State
from service.engine.store import keys
from service.engine.store.script_inputs import Claim, Outcome
from service.lib.clock import now_ms
from tests.engine import probe
from tests.engine.store.proof.entry import leases_given
from tests.waiting import wait_until_async


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


async def test_what_waits_or_runs_has_an_entry_that_arqs_own_client_reads(store, enqueuer) -> None:
    """Also once it is queued again; what has ended leaves none."""
    arq = ArqRedis(connection_pool=store.redis.connection_pool, job_deserializer=msgspec.msgpack.decode)
    known = msgspec.msgpack.encode(["probe-echo"])
    ours = (await enqueuer.enqueue(probe.probe_echo, probe.Echo(), owner="acme")).job_id
    theirs = await enqueuer.request(probe.probe_echo, probe.Echo(), job_id="theirs", owner="acme")
    theirs.external, theirs.fields = True, [*theirs.fields, "arq_format", "msgpack"]
    entry = {"t": 1, "f": "probe-echo", "a": [], "k": {}, "et": 1}
    await store.redis.set("arq:job:theirs", msgspec.msgpack.encode(entry))
    await store.queued([theirs])

    async def seen() -> set[str | None]:
        return {job.job_id for job in await arq.queued_jobs(queue_name="thumbnails")}

    assert await seen() == {ours, "theirs"}
    for job in (await store.claimed(Claim("thumbnails", "w", 2, 10_000, known))).jobs:
        await store.settled([Outcome(job.id, job.queue, job.fence, OutcomeKind.FAILED, ["error", "no"])])
    assert await store.redis.keys("arq:job:*") == []
    for job_id in (ours, "theirs"):
        await store.retry(job_id)
    assert await seen() == {ours, "theirs"}
    for job_id in (ours, "theirs"):
        await store.cancel(job_id)
    assert await store.redis.keys("arq:job:*") == []


async def test_a_completion_takes_back_crashes_and_a_cancel_that_came_too_late(store, enqueuer) -> None:
    known = msgspec.msgpack.encode(["probe-echo"])
    job_id = (await enqueuer.enqueue(probe.probe_echo, probe.Echo(), owner="acme")).job_id
    (crashed,) = (await store.claimed(Claim("thumbnails", "w", 1, 10_000, known))).jobs
    await store.redis.zadd("thumbnails", {crashed.id: now_ms() - 60_000})
    (job,) = (await store.claimed(Claim("thumbnails", "w", 1, 10_000, known, reap=True))).jobs
    assert (job.id, leases_given(job.fence), job.attempt, job.crashes, job.worker) == (job_id, 2, 2, 1, "w")
    await store.cancel(job_id)
    assert (await store.present(job_id)).cancel_requested
    await store.settled([Outcome(job.id, job.queue, job.fence, OutcomeKind.COMPLETED)])
    ended = await store.present(job_id)
    assert (ended.state, ended.crashes, ended.cancel_requested) == (State.COMPLETED, 0, False)


async def test_stamps_rise_though_the_clock_was_set_back(store, enqueuer) -> None:
    ahead = (now_ms() + 3_600_000) * 1000
    await store.redis.set(keys.CLOCK, ahead)
    one = (await enqueuer.enqueue(probe.probe_echo, probe.Echo(), owner="acme")).job_id
    more = await enqueuer.enqueue_many(probe.probe_echo, [probe.Echo()] * 3, owner="acme")
    assert [(await store.present(job_id)).stamp for job_id in (one, *more)] == [ahead + n for n in range(1, 5)]
    assert int(await store.redis.get(keys.CLOCK)) == ahead + 4
    await store.redis.delete(keys.CLOCK)
    first, second = [(await enqueuer.enqueue(probe.probe_echo, probe.Echo(), owner="acme")).job_id for _ in range(2)]
    stamps = [(await store.present(job_id)).stamp for job_id in (first, second)]
    assert stamps[0] < stamps[1] == int(await store.redis.get(keys.CLOCK))


async def test_a_lease_that_a_failover_took_back_settles_nothing(store, enqueuer) -> None:
    """The next primary counts the lease again that it had not learned of: to another worker, under another fence."""
    redis = store.redis
    claim = Claim("thumbnails", "w1", 1, 10_000, msgspec.msgpack.encode(["probe-echo"]))
    job_id = (await enqueuer.enqueue(probe.probe_echo, probe.Echo(), owner="acme")).job_id
    replicated = {key: await redis.dump(key) for key in await redis.keys("*")}
    (taken_back,) = (await store.claimed(claim)).jobs
    for key in await redis.keys("*"):
        await redis.delete(key)
    for key, value in replicated.items():
        await redis.restore(key, 0, value)
    await wait_until_async(lambda: now_ms() > taken_back.started_ms)
    (job,) = (await store.claimed(replace(claim, worker="w2"))).jobs
    assert leases_given(job.fence) == leases_given(taken_back.fence)
    outcomes = [Outcome(job_id, job.queue, lease.fence, OutcomeKind.COMPLETED) for lease in (taken_back, job)]
    assert await store.settled(outcomes) == ["lost", "completed"]
