"""Limits over keys: who begins, who is set aside, and that every key is let go of, over the shipped scripts."""

from collections import Counter
from collections.abc import Sequence
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from service.engine.enqueuer import Enqueuer
from service.engine.outcomes import OutcomeKind
from service.engine.redis.client import Client, connect
from service.engine.states import State
from service.engine.store import Job, Store, keys
from service.engine.store.script_inputs import Claim, IdleOffer, NewJob, Outcome, new_job
from service.lib.clock import now_ms
from tests.engine import limited, probe
from tests.engine.limited import KNOWN, Touch

QUEUE = "thumbnails"
LIMITS = {"owner": 3, "file_id": 1}


def touch(job_id: str, owner: str = "acme", file_id: str | None = None, **more: Any) -> NewJob:
    request = new_job(
        limited.limited_touch,
        Touch(file_id=file_id),
        job_id=job_id,
        owner=owner,
        priority=more.pop("priority", "normal"),
        retries=3,
        cost_ms=1000,
        units=1,
    )
    for name, value in more.items():
        setattr(request, name, value)
    return request


def call(job_id: str, host: str = "example.org") -> NewJob:
    job_type, payload = limited.limited_call, limited.Call(host=host)
    return new_job(job_type, payload, job_id=job_id, owner="acme", priority="normal", retries=0, cost_ms=1000, units=1)


async def claim(store: Store, count: int = 10, *, reap: bool = False) -> list[Job]:
    return (await store.claimed(Claim(QUEUE, "w", count, 60_000, KNOWN, reap=reap))).jobs


async def end(store: Store, job: Job, kind: OutcomeKind = OutcomeKind.COMPLETED, **more: Any) -> str:
    return (await store.settled([Outcome(job.id, QUEUE, job.fence, kind, **more)]))[0]


async def lose_lease(store: Store, job_id: str) -> None:
    """The worker has died: the lease of its job is over."""
    await store.redis.zadd(QUEUE, {job_id: now_ms() - 1_000})


def names(jobs: Sequence[Job]) -> list[str]:
    return [job.id for job in jobs]


def keys_of(job: Job) -> dict[str, int]:
    """The keys of a job, with how many may be active."""
    words = [word.rsplit("|", 3) for word in job.limits.split()]
    return {key: int(at_once) for key, at_once, _, _ in words}


async def see_that_it_is_consistent(store: Store) -> None:
    """Each key is held by its active jobs and by no other; each queued job stands in one place; no free key is waited for
    in vain; the work that workers can do is counted."""
    ids = [row.decode().removeprefix("offload:job:") for row in await store.redis.keys("offload:job:*")]
    jobs = {job.id: job for job in await store.get_many(ids) if job}
    holders: dict[str, set[str]] = {}
    bounds: dict[str, int] = {}
    for job in jobs.values():
        for key, at_once in keys_of(job).items():
            bounds[key] = at_once
            holders.setdefault(key, set())
            if job.state is State.ACTIVE:
                holders[key].add(job.id)
    parked: dict[str, str] = {}
    for key, active in holders.items():
        assert {row.decode() for row in await store.redis.smembers(keys.held(key))} == active
        assert not bounds[key] or len(active) <= bounds[key], f"{key} is over its limit"
        for row in await store.redis.zrange(keys.parked(key), 0, -1):
            assert row.decode() not in parked, "it waits in two places"
            parked[row.decode()] = key
    in_queue = {row.decode() for row in await store.redis.zrange(QUEUE, 0, -1)}
    for job in jobs.values():
        assert (job.id in parked) == bool(job.blocked_by), job
        if job.state is State.QUEUED:
            assert (job.id in parked) != (job.id in in_queue), f"{job.id} stands in one place"
        else:
            assert job.id not in parked
    for key in set(parked.values()):
        others = {job.id for job in jobs.values() if key in keys_of(job) and job.state is State.QUEUED}
        outside = {job_id for job_id in others if parked.get(job_id) != key}
        full = bounds[key] and len(holders[key]) >= bounds[key]
        due = await store.redis.zscore(QUEUE, f"offload:limit-due:{key}")
        assert full or outside or due, f"nothing will let the jobs of {key} begin"
        assert await store.redis.zscore(keys.blocked(QUEUE), key) is not None
    backlog = sum(
        job.estimated_ms
        for job in jobs.values()
        if job.id not in parked and job.state in (State.QUEUED, State.RETRYING)
    )
    assert (await store.backlog_ms())[QUEUE] == backlog


async def test_no_more_of_a_key_run_than_may(store: Store) -> None:
    await store.queued([touch(f"a{n}") for n in range(5)] + [touch("b0", "globex")])
    first = await claim(store)
    assert sorted(names(first)) == ["a0", "a1", "a2", "b0"]
    blocked = await store.present("a3")
    assert (blocked.state, blocked.message) == (
        State.QUEUED,
        "Waits: 3 limited-touch jobs of owner acme run, as many as may",
    )
    assert await claim(store) == [], "those that may not begin are not looked at again"
    await see_that_it_is_consistent(store)
    await end(store, first[0])
    assert names(await claim(store)) == ["a3"]
    await see_that_it_is_consistent(store)


async def test_outcomes_that_travel_together_free_their_keys_together(store: Store) -> None:
    await store.queued([touch(f"a{n}") for n in range(7)])
    first = await claim(store)
    ends = [Outcome(job.id, QUEUE, job.fence, OutcomeKind.COMPLETED) for job in first]
    # One of them is told twice: it frees its key once.
    assert await store.settled([*ends, ends[0]]) == ["completed"] * 3 + ["lost"]
    await see_that_it_is_consistent(store)
    assert sorted(names(await claim(store))) == ["a3", "a4", "a5"]
    await see_that_it_is_consistent(store)


async def test_an_outcome_that_cannot_be_recorded_keeps_its_keys(store: Store) -> None:
    await store.queued([touch(f"a{n}") for n in range(5)])
    first, second, third = await claim(store)
    broken = Outcome(first.id, QUEUE, first.fence, OutcomeKind.COMPLETED, next=[touch("next", fields=[["no", "text"]])])
    fine = Outcome(second.id, QUEUE, second.fence, OutcomeKind.COMPLETED)
    assert [word.partition(" ")[0] for word in await store.settled([broken, fine])] == ["error", "completed"]
    await see_that_it_is_consistent(store)
    assert names(await claim(store)) == ["a3"], "one key was freed, not two"
    await end(store, first)
    await end(store, third)
    await see_that_it_is_consistent(store)
    assert names(await claim(store)) == ["a4"]


async def commands(store: Store) -> Counter[str]:
    """How often each command has been executed."""
    stats = await store.redis.info("commandstats")
    return Counter({name.removeprefix("cmdstat_"): stat["calls"] for name, stat in stats.items()})


async def test_a_key_with_room_costs_a_job_two_commands(store: Store) -> None:
    """To take it and to let go of it; whether it has room, and whether any job waits, is read once for all of a call."""
    cost: list[Counter[str]] = []
    for number, limits in enumerate((False, "limited-touch:owner:acme|100|0|0")):
        await store.queued([touch(f"{number}-{n}", limits=limits) for n in range(20)])
        before = await commands(store)
        jobs = await claim(store, 20)
        await store.settled([Outcome(job.id, QUEUE, job.fence, OutcomeKind.COMPLETED) for job in jobs])
        cost.append(await commands(store) - before)
    assert cost[1]["sadd"] - cost[0]["sadd"] == cost[1]["srem"] - cost[0]["srem"] == 20
    more = (cost[1] - cost[0]).total() - (cost[0] - cost[1]).total()
    assert more <= 2 * 20 + 4, cost[1] - cost[0]


async def test_one_at_a_time(store: Store) -> None:
    await store.queued([touch("1", "a", "f"), touch("2", "b", "f"), touch("3", "c", "g"), touch("4", "d")])
    jobs = await claim(store)
    assert sorted(names(jobs)) == ["1", "3", "4"]
    assert (await store.present("2")).message == (
        "Waits for the limited-touch job of file_id f before it: one runs at a time"
    )
    await end(store, next(job for job in jobs if job.id == "1"))
    assert names(await claim(store)) == ["2"]


async def test_a_job_whose_key_is_full_is_set_aside_as_it_is_queued(store: Store) -> None:
    await store.queued([touch("1", file_id="f")])
    (job,) = await claim(store)
    await store.queued([touch("2", file_id="f")])
    assert await store.redis.zscore(QUEUE, "2") is None
    await see_that_it_is_consistent(store)
    await end(store, job)
    assert names(await claim(store)) == ["2"]


async def test_an_idle_worker_is_given_none_whose_key_is_full(store: Store) -> None:
    pubsub = store.redis.pubsub()
    await pubsub.subscribe("offload:hand:w")
    await store.claimed(Claim(QUEUE, "w", 4, 60_000, KNOWN), IdleOffer(60_000))
    await store.queued([touch("1", file_id="f")])
    await store.queued([touch("2", file_id="f")])
    states = [(await store.present(job_id)).state for job_id in ("1", "2")]
    assert states == [State.ACTIVE, State.QUEUED]
    await see_that_it_is_consistent(store)
    await pubsub.aclose()


async def test_the_fair_order_is_kept_among_those_that_waited(store: Store) -> None:
    await store.queued([touch("first", file_id="f")])
    (job,) = await claim(store)
    await store.queued([touch(f"a{n}", "a", "f") for n in range(3)])
    await store.queued([touch("high", "b", "f", priority="high"), touch("c0", "c", "f")])
    order = []
    while job:
        await end(store, job)
        job = next(iter(await claim(store)), None)
        order += [job.id] if job else []
    assert order == ["high", "a0", "c0", "a1", "a2"]


@pytest.mark.parametrize("how", ["crash", "hand back", "retry", "cancel while it waits for parts"])
async def test_whatever_ends_an_attempt_frees_its_keys(store: Store, how: str) -> None:
    await store.queued([touch("1", "a", "f"), touch("2", "b", "f")])
    (job,) = await claim(store)
    if how == "crash":
        await lose_lease(store, "1")
    elif how == "hand back":
        await end(store, job, OutcomeKind.HANDBACK)
    elif how == "retry":
        await end(store, job, OutcomeKind.RETRY, delay_ms=3_600_000)
    else:
        await store.split(job, [probe_piece("1.1")], probe.PIECES, 1)
        await end(store, job, OutcomeKind.SUSPEND)
        assert "2" not in names(await claim(store, 1)), "one that waits for its parts has not ended"
        await store.cancel("1")
    await see_that_it_is_consistent(store)
    (following,) = [found for found in await claim(store, reap=True) if found.limits]
    assert following.id in ("1", "2")
    await see_that_it_is_consistent(store)


def probe_piece(job_id: str) -> NewJob:
    payload = probe.Piece(number=0, bad=False, part_s=0)
    return new_job(
        probe.probe_piece,
        payload,
        job_id=job_id,
        owner="a",
        priority="normal",
        retries=0,
        cost_ms=1,
        units=1,
        parent="1",
    )


async def test_a_job_that_is_cancelled_before_its_turn_passes_it_on(store: Store) -> None:
    await store.queued([touch(str(n), f"o{n}", "f") for n in range(4)])
    (job,) = await claim(store)
    await store.cancel("2")
    await end(store, job)
    await store.cancel("1")
    await see_that_it_is_consistent(store)
    assert names(await claim(store)) == ["3"]


async def test_one_owner_s_jobs_do_not_keep_a_file_from_another_s(store: Store) -> None:
    """The first that waits for the file waits for its owner's limit too."""
    await store.queued([touch(f"a{n}", "a", f"g{n}") for n in range(3)] + [touch("held", "c", "f")])
    running = {job.id: job for job in await claim(store)}
    await store.queued([touch(f"wait{n}", "a", "f") for n in range(5)] + [touch("other", "b", "f")])
    await end(store, running["held"])
    assert names(await claim(store)) == ["other"]
    await see_that_it_is_consistent(store)


async def test_a_rate_over_a_key(store: Store) -> None:
    await store.queued([call(f"a{n}") for n in range(5)] + [call("b", "example.com")])
    assert sorted(names(await claim(store))) == ["a0", "a1", "a2", "b"]
    job = await store.present("a3")
    assert job.message == "Waits: 3 limited-call jobs of host example.org in a minute at most have begun"
    await see_that_it_is_consistent(store)
    key = "limited-call:host:example.org"
    first_ms = int((await store.redis.lrange(keys.starts(key), 0, 0))[0])
    assert await store.redis.zscore(QUEUE, f"offload:limit-due:{key}") == first_ms + 60_000
    # A minute later.
    await store.redis.lset(keys.starts(key), 0, first_ms - 61_000)
    await store.redis.zadd(QUEUE, {f"offload:limit-due:{key}": first_ms - 1_000})
    assert names(await claim(store)) == ["a3"]
    await see_that_it_is_consistent(store)


async def test_a_key_that_a_dead_release_holds_is_freed_by_maintenance(store: Store) -> None:
    await store.queued([touch("1", file_id="f")])
    (job,) = await claim(store)
    await store.queued([touch("2", file_id="f")])
    await end(store, job)
    await claim(store)
    await store.redis.sadd(keys.held("limited-touch:file_id:f"), "1")
    await store.queued([touch("3", file_id="f")])
    await end(store, await store.present("2"))
    assert await store.limits_checked(QUEUE, 100) == 1
    assert names(await claim(store)) == ["3"]


async def test_jobs_of_a_full_key_are_no_backlog_and_nobody_s_delay(store: Store) -> None:
    await store.queued([touch(f"{n}", file_id="f") for n in range(3)])
    await claim(store)
    assert (await store.backlog_ms())[QUEUE] == 0
    assert (await store.waiting_since_ms())[QUEUE] is None


async def test_many_jobs_of_a_full_key_hold_up_no_other(store: Store, enqueuer: Enqueuer) -> None:
    """3,000 of them stand before one of another key."""
    await enqueuer.enqueue_many(limited.limited_touch, [Touch(file_id="f")] * 3_000, owner="acme")
    await store.queued([touch("other", "globex", "g", cost=1)])
    found, claims = [], 0
    while "other" not in found and claims < 10:
        found += names(await claim(store, 1))
        claims += 1
    assert "other" in found
    await see_that_it_is_consistent(store)


requests = st.tuples(
    st.sampled_from("ab"), st.sampled_from(["f", "g", "h", None]), st.sampled_from(["high", "normal", "low"])
)
steps = st.lists(
    st.one_of(
        st.tuples(st.just("queue"), st.lists(requests, min_size=1, max_size=6)),
        st.tuples(
            st.sampled_from(["claim", "complete", "retry", "hand back", "crash", "cancel", "sweep", "expire"]),
            st.integers(0, 5),
        ),
    ),
    max_size=40,
)


class Fleet:
    """Does at random what clients and workers do, and looks after each step."""

    def __init__(self, store: Store) -> None:
        self.store = store
        self.made = 0
        self.running: list[Job] = []
        self.runs: Counter[str] = Counter()

    async def step(self, name: str, what: Any) -> None:
        job = self.running[what % len(self.running)] if isinstance(what, int) and self.running else None
        if name == "queue":
            await self.queue(what)
        elif name == "claim":
            self.running += await claim(self.store, what + 1, reap=True)
        elif name == "cancel" and self.made:
            await self.cancel(f"{what * self.made // 6:03}")
        elif name == "sweep":
            assert await self.store.limits_checked(QUEUE, 100) == 0
        elif name == "expire" and self.made:
            await self.expire(f"{what * self.made // 6:03}")
        elif job:
            await self.end(name, job)
        await see_that_it_is_consistent(self.store)

    async def queue(self, what: Sequence[tuple[str, str | None, str]]) -> None:
        jobs = [
            touch(f"{self.made + n:03}", owner, file_id, priority=priority)
            for n, (owner, file_id, priority) in enumerate(what)
        ]
        self.made += len(jobs)
        await self.store.queued(jobs)

    async def cancel(self, job_id: str) -> None:
        job = await self.store.present(job_id)
        if job.state.waiting:
            await self.store.cancel(job_id)

    async def expire(self, job_id: str) -> None:
        job = await self.store.present(job_id)
        if job.state.waiting:
            await self.store.redis.hset(keys.job(job_id), "not_after_ms", 1)
            await self.store.redis.zadd(keys.EXPIRING, {job_id: 1})
            await self.store.expired(100)

    async def end(self, name: str, job: Job) -> None:
        self.running.remove(job)
        if name == "crash":
            await lose_lease(self.store, job.id)
            return
        kinds = {"retry": OutcomeKind.RETRY, "hand back": OutcomeKind.HANDBACK}
        kind = kinds.get(name, OutcomeKind.COMPLETED)
        state = await end(self.store, job, kind)
        self.runs[job.id] += state == "completed"

    async def drain(self) -> None:
        """Work without trouble from here on: everything ends."""
        for _ in range(200):
            self.running += await claim(self.store, 4, reap=True)
            if not self.running:
                break
            for job in list(self.running):
                await self.end("complete", job)
            await see_that_it_is_consistent(self.store)


@settings(max_examples=30, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(script=steps)
async def test_whatever_happens_limits_hold_and_every_job_ends(
    redis_url: str, script: Sequence[tuple[str, Any]]
) -> None:
    redis: Client = connect(redis_url)
    try:
        await redis.flushall()
        fleet = Fleet(Store(redis))
        for name, what in script:
            await fleet.step(name, what)
        await fleet.drain()
        for n in range(fleet.made):
            job = await fleet.store.present(f"{n:03}")
            assert job.state.terminal, job
            assert fleet.runs[job.id] == (job.state is State.COMPLETED)
        left = [*await redis.keys("offload:held:*"), *await redis.keys("offload:parked:*")]
        assert left == [] and await redis.zcard(keys.blocked(QUEUE)) == 0
    finally:
        await redis.aclose(close_connection_pool=True)
