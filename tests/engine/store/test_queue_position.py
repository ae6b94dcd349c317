"""Where a waiting job stands: what the claim would find now."""

import msgspec

from service.engine.enqueuer import Enqueuer
from service.engine.store import Store
from service.engine.store.queue_position import position_of
from service.engine.store.script_inputs import Claim
from tests.engine import probe

QUEUE = "thumbnails"
KNOWN = msgspec.msgpack.encode(["probe-echo"])


async def enqueue(enqueuer: Enqueuer, owner: str = "acme", **more) -> str:
    return (await enqueuer.enqueue(probe.probe_echo, probe.Echo(), owner=owner, **more)).job_id


async def test_jobs_are_claimed_in_the_order_that_is_shown(store: Store, enqueuer: Enqueuer) -> None:
    ids = [await enqueue(enqueuer, owner) for owner in ("acme", "acme", "globex", "acme", "globex")]
    ids.append(await enqueue(enqueuer, "acme", priority="high"))
    positions = {job_id: (await position_of(store.redis, await store.present(job_id))).ahead for job_id in ids}
    order = [job.id for job in (await store.claimed(Claim(QUEUE, "w", 10, 60_000, KNOWN))).jobs]
    assert sorted(positions, key=lambda job_id: positions[job_id] or 0) == order
    assert sorted(position for position in positions.values() if position is not None) == list(range(6))


async def test_what_runs_counts_against_a_limit_and_not_as_ahead(store: Store, enqueuer: Enqueuer) -> None:
    first, second = await enqueue(enqueuer), await enqueue(enqueuer)
    await store.claimed(Claim(QUEUE, "w", 1, 60_000, KNOWN))
    position = await position_of(store.redis, await store.present(second))
    assert (position.ahead, position.running, position.own_ahead) == (0, 1, 0)
    assert (await position_of(store.redis, await store.present(first))).ahead is None


async def test_older_jobs_of_the_same_owner_are_counted_whatever_their_queue(store: Store, enqueuer: Enqueuer) -> None:
    await enqueue(enqueuer)
    await enqueue(enqueuer, "globex")
    last = await enqueue(enqueuer)
    assert (await position_of(store.redis, await store.present(last))).own_ahead == 1


async def test_a_rate_says_when_the_next_may_start(store: Store, enqueuer: Enqueuer) -> None:
    waiting = [await enqueue(enqueuer) for _ in range(2)]
    await store.controls.set(QUEUE, "rate", 60, reason="gently", by="ann")
    await store.claimed(Claim(QUEUE, "w", 2, 60_000, KNOWN))
    position = await position_of(store.redis, await store.present(waiting[1]))
    began_ms = (await store.present(waiting[0])).started_ms
    assert began_ms is not None and position.rate_next_ms == began_ms + 1000
