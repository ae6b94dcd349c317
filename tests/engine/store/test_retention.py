"""The bin, and removal by age and count."""

import pytest

from service.engine.job_files import checkpoint_path
from service.engine.states import State
from service.engine.store import NoSuchJob, keys
from service.engine.store.bulk_operations import Selection
from settings import Queue
from tests.engine import probe
from tests.engine.store.conftest import dead_letters
from tests.waiting import wait_until_async


async def test_the_bin_gives_back_and_then_forgets(store, enqueuer, maintenance) -> None:
    accepted = await enqueuer.enqueue(probe.probe_echo, probe.Echo(), owner="acme")
    await store.cancel(accepted.job_id)
    path = checkpoint_path(accepted.job_id, "page")
    await maintenance.jobs.storage.put(path, b"kept")

    await store.delete(accepted.job_id)
    assert await store.get(accepted.job_id) is None
    assert (await store.list(owner="acme")).jobs == []
    await store.restore(accepted.job_id)
    assert [job.id for job in (await store.list(owner="acme")).jobs] == [accepted.job_id]

    await store.delete(accepted.job_id)
    await maintenance.empty_bin()
    assert await maintenance.jobs.storage.exists(path), "its time in the bin is not over"
    await store.redis.zadd(keys.BIN, {accepted.job_id: 1})
    await maintenance.empty_bin()
    assert not await maintenance.jobs.storage.exists(path)
    with pytest.raises(NoSuchJob):
        await store.restore(accepted.job_id)


async def test_retention_keeps_by_age_and_count_but_never_a_dead_letter(
    store, enqueuer, start_worker, maintenance, monkeypatch
) -> None:
    (dead,) = await dead_letters(store, enqueuer, start_worker, 1)
    ids = await enqueuer.enqueue_many(probe.probe_echo, [probe.Echo()] * 5, owner="acme")

    async def done() -> bool:
        return (await store.counts())["thumbnails"][State.COMPLETED] == 5

    await wait_until_async(done)
    await store.redis.zadd(keys.finished("thumbnails"), {ids[0]: 1})
    bounds = maintenance.settings.queues[Queue.THUMBNAILS].model_copy(update={"keep_jobs": 3})
    monkeypatch.setitem(maintenance.settings.queues, Queue.THUMBNAILS, bounds)
    await maintenance.retain()
    assert await store.get(ids[0]) is None, "over age"
    await maintenance.retain()
    left = {job.id for job in (await store.list(owner="acme")).jobs}
    assert dead in left and len(left) == 4


OWNED_WITHOUT_EXPIRY = {
    "clock", "workers", "job", "attempts", "checkpoint", "parts", "type", "owner", "find", "types", "running", "fair",
    "queue", "finished", "pace", "errors", "bin", "operations", "error", "error-jobs",
    "log", "total", "schedule", "schedule-order", "schedule-runs", "alerts", "alert-mutes", "alert-history", "channels",
    "outbox", "usage", "usage-taken", "workers-stopped", "deploys", "settings-changes", "settings-seen", "versions",
    "web-versions", "workers-seen", "worker-history",
}  # fmt: skip
"""Kinds of key that live without an expiry; service/engine/store/keys.py says beneath each who removes it."""


async def test_every_key_has_an_expiry_or_an_owner(store, enqueuer, start_worker, maintenance, ledger) -> None:
    ids = await dead_letters(store, enqueuer, start_worker, 1)
    spread = await enqueuer.enqueue(
        probe.probe_spread, probe.Spread(parts=4, bad=[1]), owner="acme", idempotency_key="k"
    )
    plain = await enqueuer.enqueue_many(probe.probe_steps, [probe.Steps(steps=2)] * 3, owner="acme")

    async def done() -> bool:
        return (await store.counts())["thumbnails"][State.COMPLETED] == 4

    await wait_until_async(done)
    await store.operations.begin("cancel", Selection(state="queued"), words="nothing", by="ann")
    for key in await store.redis.keys("*"):
        name = key.decode()
        expires = await store.redis.ttl(key) >= 0
        kind = name.split(":")[1] if name.startswith("offload:") else None
        owned = kind in OWNED_WITHOUT_EXPIRY or name in {str(q) for q in Queue}
        assert expires or owned or name.startswith("arq:job:"), f"{name} has neither an expiry nor an owner"
    for job_id in [*ids, spread.job_id, *plain]:
        await store.redis.zadd(keys.BIN, {job_id: 1})
    await maintenance.empty_bin()
    left = [k.decode() for k in await store.redis.keys("*")]
    mentions = [k for k in left for job_id in [*ids, spread.job_id, *plain] if job_id in k]
    assert mentions == [], "a purged job leaves nothing behind"
