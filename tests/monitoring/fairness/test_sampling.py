"""Looks at a real queue: who waits, who runs, and why where no owner is the cause."""

from collections.abc import AsyncIterator

import msgspec
import pytest

from service.engine.pool.cpu_pool import CpuPool
from service.engine.store import keys
from service.engine.store.breakers import BreakerState
from service.engine.store.queue_snapshot import HEADS_READ
from service.engine.store.script_inputs import Claim, NewJob, new_job
from service.engine.store.worker_reports import WorkerReports
from service.engine.worker.heartbeat import Heartbeat
from service.lib.clock import now_ms
from service.monitoring.fairness import Moment, Reason
from service.monitoring.fairness.ledger import LISTED, Fairness
from service.monitoring.fairness.sampling import Sampler
from tests.engine import probe
from tests.parts import KNOWN, Parts

QUEUE = "thumbnails"


def request(job_id: str, owner: str, **more: object) -> NewJob:
    job = new_job(
        probe.probe_echo, probe.Echo(), job_id=job_id, owner=owner, priority="normal", retries=0, cost_ms=1000, units=1
    )
    return msgspec.structs.replace(job, **more)


class Seen:
    """A sampler over a queue with a worker of two slots."""

    def __init__(self, parts: Parts) -> None:
        self.parts, self.store = parts, parts.store
        self.sampler = Sampler(parts.store, [QUEUE])
        self.ledger = Fairness(parts.store.redis)

    async def queued(self, *owners: str) -> None:
        number = await self.store.redis.zcard(QUEUE)
        await self.store.queued([request(f"{owner}-{number + n}", owner) for n, owner in enumerate(owners)])

    async def begin(self, count: int) -> None:
        assert len((await self.store.claimed(Claim(QUEUE, "w", count, 60_000, KNOWN))).jobs) == count

    async def moment(self) -> Moment:
        return await self.sampler.moment(QUEUE)


@pytest.fixture
async def seen(parts: Parts) -> AsyncIterator[Seen]:
    pool = CpuPool(1, memory_mb=0, name=QUEUE)
    heartbeat = Heartbeat(WorkerReports(parts.store.redis), QUEUE, 2, pool)
    await heartbeat.beat([], health_key="health")
    yield Seen(parts)


async def test_owners_that_wait_and_those_whose_jobs_run_are_seen(seen: Seen) -> None:
    assert await seen.moment() == Moment()
    await seen.queued("acme", "acme", "acme", "webhooks:globex")
    assert await seen.moment() == Moment(frozenset({"acme", "globex"}), slots=2)
    await seen.begin(2)
    moment = await seen.moment()
    assert sorted(moment.running) == [("acme", "probe-echo"), ("globex", "probe-echo")] and moment.waiting == {"acme"}


async def test_a_pause_a_breaker_and_a_lack_of_workers_are_told_apart(seen: Seen) -> None:
    await seen.queued("acme")
    assert (await seen.moment()).reason is None
    breaker = BreakerState("p", "it fails", 10, now_ms(), now_ms() + 60_000, 60_000)
    await seen.store.redis.hset(keys.queue(QUEUE), "breaker", msgspec.json.encode(breaker))
    assert (await seen.moment()).reason is Reason.BREAKER
    await seen.store.controls.set(QUEUE, "pause", reason="lunch", by="ann")
    assert (await seen.moment()).reason is Reason.PAUSED
    await seen.store.controls.remove(QUEUE, "pause")
    await seen.store.controls.set(QUEUE, "limit", 1, reason="slowly", by="ann")
    assert (await seen.moment()).slots == 1
    await seen.store.redis.delete(keys.WORKERS)
    assert (await Sampler(seen.store, [QUEUE]).moment(QUEUE)).reason is Reason.NO_WORKER


async def test_a_job_that_waits_for_a_key_or_its_own_time_waits_for_no_owner(seen: Seen) -> None:
    limited = [request(f"one-{n}", "acme", limits="probe-echo:owner:acme|1|0|0") for n in range(2)]
    await seen.store.queued(limited)
    await seen.store.queued([request("later", "globex", due=now_ms() + 3_600_000)])
    moment = await seen.moment()
    assert (moment.waiting, moment.limited) == ({"acme"}, frozenset())
    await seen.begin(1)
    await seen.store.claimed(Claim(QUEUE, "w", 1, 60_000, KNOWN))
    moment = await seen.moment()
    assert (moment.waiting, moment.limited, moment.slots) == (frozenset(), {"acme"}, 2)


async def test_ten_thousand_owners_take_no_more_room_than_some_hundred(seen: Seen) -> None:
    for start in range(0, 3_000, 500):
        await seen.queued(*[f"owner-{number}" for number in range(start, start + 500)])
    moment = await seen.moment()
    assert moment.unread and len(moment.waiting) == HEADS_READ
    at_ms = now_ms()
    for _ in range(3):
        seen.sampler.charge(QUEUE, moment, 1_000_000)
        await seen.sampler.flush()
    day = at_ms // 86_400_000
    totals = (await seen.ledger.read([QUEUE], "day", day, day + 1))[QUEUE]
    assert len(totals.amounts) <= 2 * LISTED + 10
    rows = totals.owners()
    assert sum(row.waited for row in rows) == 3 * HEADS_READ * 1_000_000, "nothing is lost"
    assert rows[-1].owner is None and totals.seen_us == totals.unread_us == 3_000_000


async def test_a_look_charges_the_time_since_the_last_and_no_more_than_it_can_know(
    seen: Seen, monkeypatch: pytest.MonkeyPatch
) -> None:
    clock = [100.0]
    monkeypatch.setattr("service.monitoring.fairness.sampling.time.monotonic", lambda: clock[0])
    monkeypatch.setattr("service.monitoring.fairness.sampling.APART_S", 0.0)
    sampler = Sampler(seen.store, [QUEUE])
    await seen.queued("acme", "acme", "globex")
    await seen.begin(2)
    for step in (1.0, 2.0, 600.0):
        clock[0] += step
        await sampler.sample()
    clock[0] += 5
    await seen.store.controls.set(QUEUE, "pause", reason="lunch", by="ann")
    assert await sampler.poll([QUEUE, "csv-export"]) == [QUEUE]
    await sampler.flush()
    day = now_ms() // 86_400_000
    totals = (await seen.ledger.read([QUEUE], "day", day, day + 1))[QUEUE]
    acme = totals.owner("acme")
    assert totals.seen_us == acme.waited == 13_000_000 and acme.apart == {"paused": 5_000_000}
    assert acme.others == acme.itself == totals.owner("globex").caused == 4_000_000
