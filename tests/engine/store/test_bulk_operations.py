"""Bulk actions over a frozen set of jobs."""

from datetime import UTC, datetime, timedelta

import pytest

from service.engine.states import State
from service.engine.store import WrongState, keys
from service.engine.store.bulk_operations import Selection
from service.engine.store.undo import UNDO_S, record_changes, undo_id
from tests.engine import probe


async def test_a_bulk_action_spares_what_came_later(store, enqueuer, maintenance) -> None:
    early = await enqueuer.enqueue_many(probe.probe_echo, [probe.Echo()] * 250, owner="acme")
    selection = Selection(queue="thumbnails", owner="acme")
    operation = await store.operations.begin("cancel", selection, words="acme's thumbnails", by="ann")
    late = await enqueuer.enqueue(probe.probe_echo, probe.Echo(), owner="acme")
    other = await enqueuer.enqueue(probe.probe_echo, probe.Echo(), owner="globex")
    for _ in range(3):
        await maintenance.operate()
    assert (await store.operations.present(operation.id)).done == len(early)
    assert (await store.present(late.job_id)).state is State.QUEUED
    assert (await store.present(other.job_id)).state is State.QUEUED


async def test_an_operation_is_aborted_between_two_steps(store, enqueuer, maintenance) -> None:
    await enqueuer.enqueue_many(probe.probe_echo, [probe.Echo()] * 150, owner="acme")
    operation = await store.operations.begin("cancel", Selection(queue="thumbnails"), words="all", by="ann")
    await maintenance.operate()
    await store.operations.abort(operation.id)
    await maintenance.operate()
    operation = await store.operations.present(operation.id)
    assert (operation.state, operation.done) == ("aborted", 100)
    assert (await store.counts())["thumbnails"][State.QUEUED] == 50


async def deleted(store, enqueuer, maintenance, count: int) -> tuple[str, list[str]]:
    """An operation that has deleted so many cancelled jobs, and their ids."""
    ids = list(await enqueuer.enqueue_many(probe.probe_echo, [probe.Echo()] * count, owner="acme"))
    for job_id in ids:
        await store.cancel(job_id)
    operation = await store.operations.begin("delete", Selection(ids=tuple(ids)), words="chosen", by="ann")
    await maintenance.operate()
    return operation.id, ids


async def test_what_an_operation_has_deleted_is_restored_and_nothing_else(store, enqueuer, maintenance) -> None:
    before = (await enqueuer.enqueue(probe.probe_echo, probe.Echo(), owner="acme")).job_id
    await store.cancel(before)
    await store.delete(before)
    operation_id, ids = await deleted(store, enqueuer, maintenance, 3)
    assert (await store.operations.undoable(operation_id)).jobs == 3
    undoing = await store.operations.undo(operation_id, by="bea")
    await maintenance.operate()
    undoing = await store.operations.present(undoing.id)
    assert (undoing.kind, undoing.state, undoing.done, undoing.by) == ("restore", "done", 3, "bea")
    assert {job.id for job in (await store.list()).jobs} == set(ids)
    assert (await store.operations.undoable(operation_id)).jobs == 0
    with pytest.raises(WrongState, match="can be undone"):
        await store.operations.undo(operation_id, by="bea")


async def test_an_operation_that_still_deletes_is_stopped_by_its_undo(store, enqueuer, maintenance) -> None:
    operation_id, ids = await deleted(store, enqueuer, maintenance, 150)
    # A step that has begun already when the undo comes: its jobs come to the same set.
    late = ids[100:110]
    undoing = await store.operations.undo(operation_id, by="ann")
    assert await record_changes(store.redis, operation_id, late) == set(late)
    for job_id in late:
        await store.delete(job_id)
    for _ in range(3):
        await maintenance.operate()
    assert (await store.operations.present(operation_id)).state == "aborted"
    undoing = await store.operations.present(undoing.id)
    assert (undoing.done, undoing.total, undoing.skipped) == (110, 110, 0)
    assert len((await store.list(limit=200)).jobs) == 150


async def test_a_job_deleted_by_a_process_that_was_killed_before_it_counted_it_is_restored(
    store, enqueuer, maintenance
) -> None:
    job_id = (await enqueuer.enqueue(probe.probe_echo, probe.Echo(), owner="acme")).job_id
    await store.cancel(job_id)
    operation = await store.operations.begin("delete", Selection(ids=(job_id,)), words="chosen", by="ann")
    await record_changes(store.redis, operation.id, [job_id])
    await store.delete(job_id)
    await maintenance.operate()
    assert (await store.operations.present(operation.id)).skipped == 1
    await store.operations.undo(operation.id, by="ann")
    await maintenance.operate()
    assert [job.id for job in (await store.list()).jobs] == [job_id]


async def test_a_cancellation_is_undone_for_jobs_that_waited_their_turn_only(store, enqueuer, maintenance) -> None:
    waiting = (await enqueuer.enqueue(probe.probe_echo, probe.Echo(), owner="acme")).job_id
    tomorrow = datetime.now(UTC) + timedelta(days=1)
    later = (await enqueuer.enqueue(probe.probe_echo, probe.Echo(), owner="acme", schedule_at=tomorrow)).job_id
    operation = await store.operations.begin("cancel", Selection(owner="acme"), words="all", by="ann")
    await maintenance.operate()
    assert (await store.operations.present(operation.id)).done == 2
    assert (await store.operations.undoable(operation.id)).jobs == 1
    undoing = await store.operations.undo(operation.id, by="ann")
    await maintenance.operate()
    assert (await store.operations.present(undoing.id)).done == 1
    assert (await store.present(waiting)).state is State.QUEUED
    # It was set for later: queued again it would begin now.
    assert (await store.present(later)).state is State.CANCELLED


async def test_what_has_left_the_bin_is_offered_no_longer(store, enqueuer, maintenance) -> None:
    operation_id, ids = await deleted(store, enqueuer, maintenance, 2)
    recorded = keys.operation_ids(undo_id(operation_id))
    assert 0 < await store.redis.ttl(recorded) <= UNDO_S
    await store.redis.zincrby(recorded, -(UNDO_S + 1) * 1000, ids[0])
    undoing = await store.operations.undo(operation_id, by="ann")
    assert undoing.total == 1
    await store.redis.zincrby(recorded, -(UNDO_S + 1) * 1000, ids[1])
    assert (await store.operations.undoable(operation_id)).jobs == 0
