"""The storage goes away under running jobs: they wait with their queue, spend no try, and go on when it is back."""

from collections.abc import Callable, Iterator

import pytest

from service.engine.enqueuer import Enqueuer
from service.engine.holds import Hold
from service.engine.store import Job, Store
from service.engine.store.queue_controls import OFFLOAD
from settings import load_settings
from tests.engine.probe import Checkpoints, probe_checkpoints
from tests.s3 import BucketServer
from tests.waiting import wait_until_async

QUEUE = "thumbnails"


@pytest.fixture
def bucket(settings_env: dict[str, str]) -> Iterator[BucketServer]:
    """A running one, which workers that are started afterwards use."""
    server = BucketServer()
    settings_env |= server.environment
    yield server
    server.stop()


async def test_jobs_wait_for_a_storage_that_is_gone(
    bucket: BucketServer, store: Store, enqueuer: Enqueuer, start_worker: Callable[..., object]
) -> None:
    start_worker()
    first = await enqueuer.enqueue(probe_checkpoints, Checkpoints(name="first"), owner="acme")
    await wait_until_async(lambda: _completed(store, [first.job_id]))
    bucket.stop()
    ids = [
        (await enqueuer.enqueue(probe_checkpoints, Checkpoints(name=f"n{n}"), owner="acme")).job_id for n in range(12)
    ]

    note = (await wait_until_async(lambda: _pause(store)))[0]
    assert note.by == OFFLOAD
    assert note.reason == "The file storage is out of reach (no connection); the queue goes on once it is back."
    touched = await wait_until_async(lambda: _reported(store, ids))
    # As many as one worker runs at once have met it, and none twice: the others never left the queue.
    assert len(touched) <= load_settings().queues[probe_checkpoints.queue].jobs_at_once
    for job in touched:
        assert job.message.startswith("The file storage is out of reach (no connection); tried again")
        assert bucket.BUCKET not in job.message and "http" not in job.message
        assert job.attempt == 0

    bucket.start()
    await wait_until_async(lambda: _completed(store, ids))
    assert {job.attempt for job in await store.get_many(ids) if job} == {1}
    assert "pause" not in await store.controls.holds(QUEUE)


async def test_a_pause_by_an_operator_outlives_an_outage(store: Store) -> None:
    await store.controls.set(QUEUE, "pause", reason="inventory", by="ann")
    await store.controls.hold(QUEUE, "The database is away.", 60, renew=False)
    await store.controls.release(QUEUE)
    assert (await store.controls.holds(QUEUE))["pause"].by == "ann"


async def test_one_worker_alone_does_not_stop_the_others_again(store: Store) -> None:
    await store.controls.hold(QUEUE, "The database is away.", 60, renew=False)
    await store.controls.release(QUEUE)
    await store.controls.hold(QUEUE, "The database is away.", 60, renew=True)
    assert "pause" not in await store.controls.holds(QUEUE)


async def _completed(store: Store, ids: list[str]) -> bool:
    return {job.state for job in await store.get_many(ids) if job} == {"completed"}


async def _pause(store: Store) -> list[Hold]:
    found = (await store.controls.holds(QUEUE)).get("pause")
    return [found] if found else []


async def _reported(store: Store, ids: list[str]) -> list[Job]:
    return [job for job in await store.get_many(ids) if job and "out of reach" in job.message]
