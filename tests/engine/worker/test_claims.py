"""What a worker asks the queue for: also behind a long row of jobs that only a newer worker can run."""

from collections.abc import AsyncIterator

import msgspec
import pytest

from service.engine.enqueuer import Enqueuer
from service.engine.store import Store
from service.engine.store.script_inputs import Claim, NewJob
from service.engine.worker.claims import Claims
from service.engine.worker.leases import Leases
from tests.engine import probe

QUEUE = "thumbnails"


@pytest.fixture
def claims(store: Store) -> Claims:
    return Claims(store, QUEUE, "w", Leases(store, QUEUE, 60), rated=True, dispatched=False)


async def newer(store: Store, count: int) -> None:
    """Jobs of a type that this release does not know, each of an owner of its own: all of them at the head."""
    for start in range(0, count, 500):
        await store.queued(
            [
                NewJob(f"newer-{n}", QUEUE, "newer", f"owner{n}", "high", 1, 0, ["payload", "{}", "retries", 0], [])
                for n in range(start, min(start + 500, count))
            ]
        )


async def claimed(claims: Claims, want: int, polls: int) -> AsyncIterator[str]:
    for _ in range(polls):
        for job in (await claims.up_to(want, channel_alive=False)).jobs:
            yield job.id


async def test_jobs_behind_thousands_of_unknown_ones_are_found(
    store: Store, enqueuer: Enqueuer, claims: Claims
) -> None:
    await newer(store, 2500)
    ids = await enqueuer.enqueue_many(probe.probe_echo, [probe.Echo()] * 12, owner="acme")
    assert [job_id async for job_id in claimed(claims, 5, polls=8)] == ids
    assert claims.skip == 0, "all have been looked at: the next look begins at the head"
    # What a newer worker takes from the head makes room there, where what is urgent comes to stand.
    known = msgspec.msgpack.encode(["newer"])
    await store.claimed(Claim(QUEUE, "newer", 2000, 60_000, known))
    urgent = await enqueuer.enqueue(probe.probe_echo, probe.Echo(), owner="globex", priority="high")
    assert [job_id async for job_id in claimed(claims, 5, polls=4)] == [urgent.job_id]


async def test_a_queue_of_known_types_is_always_read_from_its_head(store, enqueuer: Enqueuer, claims: Claims) -> None:
    ids = await enqueuer.enqueue_many(probe.probe_echo, [probe.Echo()] * 30, owner="acme")
    found = [job_id async for job_id in claimed(claims, 7, polls=5)]
    assert found == ids and claims.skip == 0


async def test_a_paused_queue_gives_nothing(store: Store, enqueuer: Enqueuer, claims: Claims) -> None:
    await enqueuer.enqueue(probe.probe_echo, probe.Echo(), owner="acme")
    await store.controls.set(QUEUE, "pause", reason="repair", by="ann")
    assert (await claims.up_to(5, channel_alive=False)).jobs == []
    await store.controls.remove(QUEUE, "pause")
    assert len((await claims.up_to(5, channel_alive=False)).jobs) == 1
