"""A job type that is moved to another queue: jobs stay in the queue that they were put into, and count there alone."""

import dataclasses

from service.engine.enqueuer import Enqueuer
from service.engine.states import State
from service.engine.store import Store
from service.engine.store.bulk_operations import Selection
from service.engine.store.memory_usage import queue_memory
from settings import Queue
from tests.engine import probe

MOVED = dataclasses.replace(probe.probe_echo, queue=Queue.CSV_EXPORT)


async def enqueue(enqueuer: Enqueuer) -> tuple[list[str], list[str]]:
    """Jobs from before the type was moved, and after."""
    before = await enqueuer.enqueue_many(probe.probe_echo, [probe.Echo()] * 5, owner="acme")
    after = await enqueuer.enqueue_many(MOVED, [probe.Echo()] * 3, owner="acme")
    return before, after


async def test_each_job_counts_in_its_own_queue(store: Store, enqueuer: Enqueuer) -> None:
    before, after = await enqueue(enqueuer)
    await store.cancel(before[0])
    counts = await store.counts()
    assert (counts["thumbnails"][State.QUEUED], counts["csv-export"][State.QUEUED]) == (4, 3)
    assert (counts["thumbnails"][State.CANCELLED], counts["csv-export"][State.CANCELLED]) == (1, 0)
    listed = {queue: len((await store.list(queue=queue)).jobs) for queue in ("thumbnails", "csv-export")}
    assert listed == {"thumbnails": 5, "csv-export": 3}
    weighed = {queue: (await queue_memory(store, queue)).jobs for queue in ("thumbnails", "csv-export")}
    assert weighed == listed
    assert len(before) == 5 and len(after) == 3


async def test_the_longest_wait_is_that_of_the_queue_s_own(store: Store, enqueuer: Enqueuer) -> None:
    await enqueue(enqueuer)
    since = await store.waiting_since_ms()
    assert since["thumbnails"] is not None and since["csv-export"] is not None
    assert since["thumbnails"] < since["csv-export"]


async def test_an_action_on_a_queue_spares_the_other(store: Store, enqueuer: Enqueuer) -> None:
    before, after = await enqueue(enqueuer)
    operation = await store.operations.begin("cancel", Selection(queue="csv-export"), words="all", by="ann")
    assert operation.total == len(after)
    assert set(await store.operations.next_ids(operation.id, 100)) == set(after)
    assert not set(before) & set(after)
