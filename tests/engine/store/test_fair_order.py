"""Order of jobs: by virtual time, so that no owner's backlog is in another's way, and none waits forever."""

from collections.abc import Sequence

import msgspec
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from service.engine.redis.client import Client, connect
from service.engine.store import Job, Store
from service.engine.store.script_inputs import Claim, NewJob, Outcome, new_job
from tests.engine import probe

KNOWN = msgspec.msgpack.encode(["probe-echo", "probe-piece"])
QUEUE = "thumbnails"


def request(job_id: str, owner: str, *, priority: str = "normal", parent: str = "", cost_ms: int = 1000) -> NewJob:
    job_type = probe.probe_piece if parent else probe.probe_echo
    payload = probe.Piece(number=0, bad=False, part_s=0) if parent else probe.Echo()
    return new_job(
        job_type,
        payload,
        job_id=job_id,
        owner=owner,
        priority=priority,
        retries=0,
        cost_ms=cost_ms,
        units=1,
        parent=parent,
    )


async def claim(store: Store) -> Job | None:
    jobs = (await store.claimed(Claim(QUEUE, "w", 1, 60_000, KNOWN))).jobs
    return jobs[0] if jobs else None


async def run_one(store: Store) -> str | None:
    job = await claim(store)
    if job is not None:
        await store.settled([Outcome(job.id, QUEUE, job.fence, "completed", units=1)])
    return job.id if job else None


async def split(store: Store, parent_id: str, owner: str, parts: int, cost_ms: int) -> None:
    """Queue a job, claim it, and put it aside for its parts."""
    await store.queued([request(parent_id, owner)])
    job = await claim(store)
    assert job is not None and job.id == parent_id
    requests = [request(f"{parent_id}.{n}", owner, parent=parent_id, cost_ms=cost_ms) for n in range(parts)]
    await store.split(job, requests, probe.PIECES, parts)
    await store.settled([Outcome(job.id, QUEUE, job.fence, "suspend")])


@pytest.mark.parametrize("cost_ms", [100, 14_000], ids=["costs underestimated", "costs as they are"])
async def test_a_short_job_passes_a_long_one(store: Store, cost_ms: int) -> None:
    await split(store, "long", "a", 500, cost_ms)
    assert [await run_one(store) for _ in range(20)] == [f"long.{n}" for n in range(20)]
    await split(store, "short", "b", 2, cost_ms)
    order = [await run_one(store) for _ in range(12)]
    assert {"short.0", "short.1"} <= set(order), f"b's two parts are among the next dozen: {order}"


async def test_a_short_job_passes_a_long_one_of_the_same_owner(store: Store) -> None:
    await split(store, "long", "a", 500, 1000)
    assert [await run_one(store) for _ in range(5)] == [f"long.{n}" for n in range(5)]
    await store.queued([request("short", "a")])
    order = [await run_one(store) for _ in range(40)]
    assert "short" in order


async def test_an_owner_of_four_times_the_weight_has_four_times_the_turns(store: Store) -> None:
    for n in range(40):
        heavy = request(f"a{n}", "a")
        heavy.weight = 4.0
        await store.queued([heavy, request(f"b{n}", "b")])
    order = [await run_one(store) for _ in range(25)]
    assert 19 <= sum(1 for one in order if one and one.startswith("a")) <= 21, order


async def test_owners_take_turns(store: Store) -> None:
    await store.queued([request(f"a{n}", "a") for n in range(100)])
    await store.queued([request(f"b{n}", "b") for n in range(10)])
    order = [await run_one(store) for _ in range(30)]
    assert [i for i in order if i and i.startswith("b")] == [f"b{n}" for n in range(10)], order


async def test_priority_is_a_head_start(store: Store) -> None:
    await store.queued(
        [request("low", "a", priority="low"), request("normal", "b"), request("high", "c", priority="high")]
    )
    assert [await run_one(store) for _ in range(3)] == ["high", "normal", "low"]


async def test_no_job_waits_for_ever_under_a_stream_of_high_ones(store: Store) -> None:
    """One low job; then, for every job that is done, a newcomer of high priority and of an owner of its own."""
    await store.queued([request("low", "patient", priority="low")])
    done: list[str | None] = []
    for n in range(4_000):
        await store.queued([request(f"high{n}", f"owner{n}", priority="high", cost_ms=10_000)])
        done.append(await run_one(store))
        if done[-1] == "low":
            break
    assert "low" in done


arrivals = st.lists(
    st.tuples(st.sampled_from("abcd"), st.sampled_from(["high", "normal", "low"]), st.integers(1, 60_000)),
    min_size=1,
    max_size=60,
)


@settings(max_examples=40, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(batches=st.lists(arrivals, min_size=1, max_size=4), served=st.integers(0, 30))
async def test_every_job_runs_once_whatever_arrives(
    redis_url: str, batches: Sequence[Sequence[tuple[str, str, int]]], served: int
) -> None:
    """Random arrivals: all run, each once, and one owner's jobs of one priority keep their order."""
    redis: Client = connect(redis_url)
    try:
        await redis.flushall()
        store = Store(redis)
        order: list[str] = []
        number = 0
        for batch in batches:
            requests = []
            for owner, priority, cost_ms in batch:
                requests.append(request(f"{number:03}-{owner}-{priority}", owner, priority=priority, cost_ms=cost_ms))
                number += 1
            await store.queued(requests)
            order += [i for i in [await run_one(store) for _ in range(served)] if i]
        while (job_id := await run_one(store)) is not None:
            order.append(job_id)
        assert len(order) == number and len(set(order)) == number
        for owner in "abcd":
            for priority in ("high", "normal", "low"):
                mine = [i for i in order if i.endswith(f"-{owner}-{priority}")]
                assert mine == sorted(mine)
    finally:
        await redis.aclose(close_connection_pool=True)
