"""Dead letters by cause, bulk actions over a frozen set, the bin, and what retention removes."""

import pytest

from service.engine.job_files import JobFiles, kept_path
from service.engine.maintenance import Maintenance
from service.engine.states import State
from service.engine.store import NoSuchJob, Store, keys
from service.engine.store.bulk_operations import Selection
from service.lib.object_storage import Storage
from settings import Queue, load_settings
from tests.engine import probe
from tests.waiting import wait_until_async


@pytest.fixture
def caretaker(store: Store, settings_env: dict[str, str]) -> Maintenance:
    settings = load_settings()
    return Maintenance(settings, store, JobFiles(store, Storage(settings.storage_url)))


async def failed(store, enqueuer, start_worker, count: int) -> list[str]:
    start_worker()
    ids = await enqueuer.enqueue_many(probe.probe_trouble, [probe.Trouble(kind="permanent")] * count, owner="acme")

    async def dead() -> bool:
        return (await store.counts())["thumbnails"][State.FAILED] == count

    await wait_until_async(dead)
    return ids


async def test_dead_letters_of_one_cause_are_one_group(store, enqueuer, start_worker, caretaker) -> None:
    ids = await failed(store, enqueuer, start_worker, 3)
    (group,) = await store.error_groups.list()
    assert (group.seen, group.waiting, group.error_type, group.life) == (3, 3, "Permanent", "open")
    assert group.error == "there is nothing to be done about it" and group.sample in ids

    await store.error_groups.live(group.fingerprint, "resolved")
    selection = Selection(fingerprint=group.fingerprint)
    operation = await store.operations.begin("retry", selection, words="the whole group", by="ann")
    assert operation.total == 3
    await caretaker.operate()

    async def again() -> bool:
        found = await store.error_groups.get(group.fingerprint)
        return found is not None and found.seen == 6 and found.waiting == 3

    await wait_until_async(again)
    assert (await store.error_groups.get(group.fingerprint)).life == "regressed"
    operation = await store.operations.present(operation.id)
    assert (operation.state, operation.done, operation.skipped) == ("done", 3, 0)


async def test_a_bulk_action_spares_what_came_later(store, enqueuer, caretaker) -> None:
    early = await enqueuer.enqueue_many(probe.probe_echo, [probe.Echo()] * 250, owner="acme")
    selection = Selection(queue="thumbnails", owner="acme")
    operation = await store.operations.begin("cancel", selection, words="acme's thumbnails", by="ann")
    late = await enqueuer.enqueue(probe.probe_echo, probe.Echo(), owner="acme")
    other = await enqueuer.enqueue(probe.probe_echo, probe.Echo(), owner="globex")
    for _ in range(3):
        await caretaker.operate()
    assert (await store.operations.present(operation.id)).done == len(early)
    assert (await store.present(late.job_id)).state is State.QUEUED
    assert (await store.present(other.job_id)).state is State.QUEUED


async def test_an_operation_is_aborted_between_two_steps(store, enqueuer, caretaker) -> None:
    await enqueuer.enqueue_many(probe.probe_echo, [probe.Echo()] * 150, owner="acme")
    operation = await store.operations.begin("cancel", Selection(queue="thumbnails"), words="all", by="ann")
    await caretaker.operate()
    await store.operations.abort(operation.id)
    await caretaker.operate()
    operation = await store.operations.present(operation.id)
    assert (operation.state, operation.done) == ("aborted", 100)
    assert (await store.counts())["thumbnails"][State.QUEUED] == 50


async def test_the_bin_gives_back_and_then_forgets(store, enqueuer, caretaker) -> None:
    accepted = await enqueuer.enqueue(probe.probe_echo, probe.Echo(), owner="acme")
    await store.cancel(accepted.job_id)
    path = kept_path(accepted.job_id, "page")
    await caretaker.jobs.storage.put(path, b"kept")

    await store.delete(accepted.job_id)
    assert await store.get(accepted.job_id) is None
    assert (await store.list(owner="acme")).jobs == []
    await store.restore(accepted.job_id)
    assert [job.id for job in (await store.list(owner="acme")).jobs] == [accepted.job_id]

    await store.delete(accepted.job_id)
    await caretaker.empty_bin()
    assert await caretaker.jobs.storage.exists(path), "its time in the bin is not over"
    await store.redis.zadd(keys.BIN, {accepted.job_id: 1})
    await caretaker.empty_bin()
    assert not await caretaker.jobs.storage.exists(path)
    with pytest.raises(NoSuchJob):
        await store.restore(accepted.job_id)


async def test_retention_keeps_by_age_and_count_but_never_a_dead_letter(
    store, enqueuer, start_worker, caretaker, monkeypatch
) -> None:
    (dead,) = await failed(store, enqueuer, start_worker, 1)
    ids = await enqueuer.enqueue_many(probe.probe_echo, [probe.Echo()] * 5, owner="acme")

    async def done() -> bool:
        return (await store.counts())["thumbnails"][State.COMPLETED] == 5

    await wait_until_async(done)
    await store.redis.zadd(keys.finished("thumbnails"), {ids[0]: 1})
    bounds = caretaker.settings.queues[Queue.THUMBNAILS].model_copy(update={"keep_jobs": 3})
    monkeypatch.setitem(caretaker.settings.queues, Queue.THUMBNAILS, bounds)
    await caretaker.retain()
    assert await store.get(ids[0]) is None, "over age"
    await caretaker.retain()
    left = {job.id for job in (await store.list(owner="acme")).jobs}
    assert dead in left and len(left) == 4


OWNED_WITHOUT_EXPIRY = {
    "clock", "workers", "job", "attempts", "checkpoint", "parts", "type", "owner", "find", "types", "running", "fair",
    "queue", "finished", "pace", "errors", "bin", "operations", "error", "error-jobs",
    "log", "total", "schedule", "schedule-order", "schedule-runs", "alerts", "alert-mutes", "alert-history", "channels",
    "outbox",
}  # fmt: skip
"""Kinds of key that live without an expiry; service/engine/store/keys.py says beneath each who removes it."""


async def test_every_key_has_an_expiry_or_an_owner(store, enqueuer, start_worker, caretaker, ledger) -> None:
    ids = await failed(store, enqueuer, start_worker, 1)
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
    await caretaker.empty_bin()
    left = [k.decode() for k in await store.redis.keys("*")]
    mentions = [k for k in left for job_id in [*ids, spread.job_id, *plain] if job_id in k]
    assert mentions == [], "a purged job leaves nothing behind"
