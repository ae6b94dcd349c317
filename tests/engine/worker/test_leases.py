"""The leases that a worker holds: how long they last, and what a renewal brings."""

import time
from types import SimpleNamespace

import msgspec

from service.engine.enqueuer import Enqueuer
from service.engine.outcomes import StopReason
from service.engine.redis.client import connect
from service.engine.store import Job, Store
from service.engine.store.script_inputs import Claim
from service.engine.worker.leases import Leases
from service.lib.clock import now_ms
from tests.engine import probe
from tests.ports import free_port

QUEUE = "thumbnails"
KNOWN = msgspec.msgpack.encode(["probe-echo"])


def running(job: Job) -> SimpleNamespace:
    """An execution as far as its leases see it."""
    stopped: list[StopReason] = []
    return SimpleNamespace(
        job=job,
        reporting=False,
        leased_until_s=0.0,
        stopped=stopped,
        stop=stopped.append,
        metered_ms=lambda: 0,
    )


async def claimed(store: Store, enqueuer: Enqueuer, count: int) -> list[Job]:
    await enqueuer.enqueue_many(probe.probe_echo, [probe.Echo()] * count, owner="acme")
    return (await store.claimed(Claim(QUEUE, "w", count, 60_000, KNOWN))).jobs


async def test_a_renewal_prolongs_what_is_held_and_stops_what_is_lost(store: Store, enqueuer: Enqueuer) -> None:
    leases = Leases(store, QUEUE, 60)
    stored, lost, cancelled = (running(job) for job in await claimed(store, enqueuer, 3))
    leases.held = {one.job.id: one for one in (stored, lost, cancelled)}  # type: ignore[misc]  # as far as they are seen
    lost.job.fence -= 1
    await store.cancel(cancelled.job.id)
    await leases._renew()
    assert (stored.stopped, lost.stopped, cancelled.stopped) == ([], [StopReason.LOST], [StopReason.CANCELLED])
    assert stored.leased_until_s > time.monotonic() + 30 and lost.leased_until_s == 0.0


async def test_one_whose_outcome_is_on_its_way_is_not_stopped(store: Store, enqueuer: Enqueuer) -> None:
    leases = Leases(store, QUEUE, 60)
    (one,) = (running(job) for job in await claimed(store, enqueuer, 1))
    one.job.fence -= 1
    one.reporting = True
    leases.held = {one.job.id: one}  # type: ignore[dict-item]  # as far as it is seen
    await leases._renew()
    assert one.stopped == []


async def test_after_an_absence_nobody_s_lease_counts_as_over(store: Store) -> None:
    leases = Leases(store, QUEUE, 60)
    assert leases.may_reap
    leases.trouble()
    assert not leases.may_reap and leases.no_reaping_until_s > time.monotonic() + 60


async def test_a_lease_that_was_given_long_ago_is_over(store: Store) -> None:
    leases = Leases(store, QUEUE, 60)
    assert leases.until_s(now_ms() - 61_000) < time.monotonic() < leases.until_s(now_ms() - 30_000)


async def test_a_server_that_is_younger_than_a_lease_is_given_time(store: Store) -> None:
    leases = Leases(store, QUEUE, lease_s=1e9)
    await leases._reap_late_after_start()
    assert not leases.may_reap


async def test_a_server_that_does_not_answer_says_nothing_of_its_age() -> None:
    leases = Leases(Store(connect(f"redis://127.0.0.1:{free_port()}/0")), QUEUE, lease_s=1e9)
    await leases._reap_late_after_start()
    assert leases.may_reap
