"""A job's parts are made a batch at a time, each once, whatever happens between two batches."""

from typing import Any

import pytest

from service.engine.states import State
from service.engine.store import Job, Store, keys, scripts
from service.engine.store import worker_verbs as verbs
from service.engine.store.script_inputs import Claim, Outcome
from service.lib.clock import now_ms
from tests.engine import probe
from tests.engine.store.test_fair_order import KNOWN, QUEUE, claim, request

PARTS = 25


@pytest.fixture
async def parent(store: Store, monkeypatch: pytest.MonkeyPatch) -> Job:
    """A job that a worker holds."""
    monkeypatch.setattr(verbs, "PARTS_BATCH", 10)
    await store.queued([request("whole", "a")])
    job = await claim(store)
    assert job is not None
    return job


async def split(store: Store, job: Job) -> tuple[int, list[str]]:
    parts = [request(f"whole.{number}", "a", parent="whole") for number in range(PARTS)]
    return await store.split(job, parts, probe.PIECES, PARTS)


async def end(store: Store, count: int, kind: str) -> None:
    for _ in range(count):
        part = await claim(store)
        assert part is not None and part.parent == "whole"
        await store.settled([Outcome(part.id, QUEUE, part.fence, kind, units=1)])


async def test_an_attempt_cut_short_between_two_batches_is_gone_on_with(
    store: Store, parent: Job, monkeypatch: pytest.MonkeyPatch
) -> None:
    made, left = scripts.PARTS, 2

    async def cut_short(*args: Any) -> Any:
        nonlocal left
        left -= 1
        if left < 0:
            raise ConnectionError("the server is away")
        return await made(*args)

    with monkeypatch.context() as patched:
        patched.setattr(scripts, "PARTS", cut_short)
        with pytest.raises(ConnectionError):
            await split(store, parent)
    assert len(await store.parts("whole")) == 20
    await end(store, 20, "completed")
    assert await claim(store) is None, "the whole waits for the parts that are not made yet"
    assert await split(store, parent) == (5, [])
    await store.settled([Outcome(parent.id, QUEUE, parent.fence, "suspend")])
    await end(store, 5, "completed")
    parent = await claim(store) or parent
    assert await split(store, parent) == (0, [f"whole.{number}" for number in range(PARTS)])
    whole = await store.present("whole")
    assert (whole.parts_total, whole.parts_done, whole.parts_failed) == (PARTS, PARTS, 0)


async def test_a_retry_queues_all_again_that_did_not_complete(store: Store, parent: Job) -> None:
    await split(store, parent)
    await end(store, 3, "completed")
    await end(store, 12, "failed")
    assert (await store.present("whole")).parts_failed == 12
    await store.cancel("whole")
    await store.settled([Outcome(parent.id, QUEUE, parent.fence, "cancelled")])
    await store.retry("whole")
    again = await claim(store)
    assert again is not None and again.id == "whole"
    assert await split(store, again) == (PARTS - 3, [])
    await store.settled([Outcome(again.id, QUEUE, again.fence, "suspend")])
    await end(store, PARTS - 3, "completed")
    whole = await claim(store)
    assert whole is not None and whole.id == "whole"
    assert (whole.parts_done, whole.parts_failed) == (PARTS, 0)


async def test_parts_that_end_after_their_whole_are_no_longer_waited_for(store: Store, parent: Job) -> None:
    """Else the whole, retried, waits forever for one that has ended long ago."""
    await split(store, parent)
    await store.settled([Outcome(parent.id, QUEUE, parent.fence, "suspend")])
    running = [await claim(store) for _ in range(3)]
    await store.cancel("whole")
    ends = zip(running, ("cancelled", "completed", "failed"), strict=True)
    await store.settled([Outcome(part.id, QUEUE, part.fence, kind, units=1) for part, kind in ends if part])
    await store.retry("whole")
    again = await claim(store)
    assert again is not None and again.id == "whole"
    assert await split(store, again) == (PARTS - 1, [])
    await store.settled([Outcome(again.id, QUEUE, again.fence, "suspend")])
    await end(store, PARTS - 1, "completed")
    whole = await claim(store)
    assert whole is not None and whole.id == "whole", "it waits forever"
    assert (whole.parts_done, whole.parts_failed) == (PARTS, 0)


async def test_parts_that_stop_while_their_whole_begins_again_are_done_again(store: Store, parent: Job) -> None:
    """They were asked to stop when the whole was cancelled, and a retry wants them."""
    await split(store, parent)
    await store.settled([Outcome(parent.id, QUEUE, parent.fence, "suspend")])
    running = [await claim(store) for _ in range(2)]
    await store.cancel("whole")
    await store.retry("whole")
    again = await claim(store)
    assert again is not None and again.id == "whole"
    assert await split(store, again) == (PARTS, [])
    await store.settled([Outcome(again.id, QUEUE, again.fence, "suspend")])
    await store.settled([Outcome(part.id, QUEUE, part.fence, "cancelled") for part in running if part])
    await end(store, PARTS, "completed")
    whole = await claim(store)
    assert whole is not None and whole.id == "whole"
    assert (whole.parts_done, whole.parts_failed) == (PARTS, 0)


async def test_a_part_that_is_still_stopping_goes_with_its_whole(store: Store, parent: Job) -> None:
    await split(store, parent)
    await store.settled([Outcome(parent.id, QUEUE, parent.fence, "suspend")])
    part = await claim(store)
    assert part is not None
    await store.cancel("whole")
    assert await store.purged(["whole"]) == 1
    assert await store.redis.hlen(keys.running(QUEUE)) == 0, "a lease of nobody counts against the queue's limit"
    assert await store.redis.zcard(QUEUE) == 0
    assert await store.settled([Outcome(part.id, QUEUE, part.fence, "cancelled")]) == ["lost"]


async def test_a_cancelled_whole_whose_worker_dies_stops_its_parts(store: Store, parent: Job) -> None:
    await split(store, parent)
    await store.cancel("whole")
    await store.redis.zadd(QUEUE, {"whole": now_ms() - 1}, xx=True)
    assert not (await store.claimed(Claim(QUEUE, "w", 1, 60_000, KNOWN, reap=True))).jobs
    assert (await store.present("whole")).state is State.CANCELLED
    assert {(await store.present(part.id)).state for part in await store.parts("whole")} == {State.CANCELLED}


async def test_a_retry_of_a_whole_that_was_about_to_be_called_back_is_a_new_attempt(store: Store, parent: Job) -> None:
    await split(store, parent)
    await store.settled([Outcome(parent.id, QUEUE, parent.fence, "suspend")])
    await end(store, PARTS, "completed")
    await store.cancel("whole")
    await store.retry("whole")
    again = await claim(store)
    assert again is not None and (again.id, again.attempt) == ("whole", 2)


async def test_one_that_goes_on_after_its_parts_has_begun_in_time(store: Store, parent: Job) -> None:
    """Its parts took longer than until its `not_after`."""
    await split(store, parent)
    await store.settled([Outcome(parent.id, QUEUE, parent.fence, "suspend")])
    await store.redis.hset(keys.job("whole"), "not_after_ms", now_ms() - 1_000)
    await end(store, PARTS, "completed")
    again = await claim(store)
    assert again is not None and (again.id, again.attempt) == ("whole", 1)


async def test_one_that_expires_at_its_claim_takes_its_parts_with_it(store: Store, parent: Job) -> None:
    await split(store, parent)
    await store.settled([Outcome(parent.id, QUEUE, parent.fence, "handback")])
    await store.redis.hset(keys.job("whole"), "not_after_ms", now_ms() - 1_000)
    # Some of its parts stand before it.
    begun = {job.id for job in (await store.claimed(Claim(QUEUE, "w", PARTS + 1, 60_000, KNOWN))).jobs}
    assert (await store.present("whole")).state is State.EXPIRED
    for part in await store.parts("whole"):
        assert part.cancel_requested if part.id in begun else part.state is State.CANCELLED


async def test_parts_that_still_wait_as_their_job_goes_are_work_no_longer(store: Store, parent: Job) -> None:
    await split(store, parent)
    await store.settled([Outcome(parent.id, QUEUE, parent.fence, "failed")])
    assert (await store.backlog_ms())[QUEUE] > 0
    await store.purged(["whole"])
    assert (await store.backlog_ms())[QUEUE] == 0


async def test_parts_that_are_cancelled_before_they_begin_are_counted(store: Store, parent: Job) -> None:
    await split(store, parent)
    await store.settled([Outcome(parent.id, QUEUE, parent.fence, "cancelled")])
    minute = now_ms() // 60_000
    rows = await store.minutes(QUEUE, [minute - 1, minute])
    assert sum(row.get("cancelled", 0) for row in rows) == PARTS + 1
