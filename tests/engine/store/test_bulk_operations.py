"""Bulk actions over a frozen set of jobs."""

from service.engine.states import State
from service.engine.store.bulk_operations import Selection
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
