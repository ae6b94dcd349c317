"""A queue is paused, bounded and rated while it runs, without a restart, each with a reason and an end."""

import itertools

import pytest

from service.engine.states import State
from service.lib.clock import now_ms
from tests.engine import probe
from tests.waiting import wait_until_async


async def running(store) -> int:
    return (await store.counts())["thumbnails"][State.ACTIVE]


async def test_a_paused_queue_starts_nothing_until_it_is_resumed(store, enqueuer, start_worker, ledger) -> None:
    start_worker()
    await store.controls.set("thumbnails", "pause", reason="the disk is full", by="ann")
    accepted = await enqueuer.enqueue(probe.probe_echo, probe.Echo(word="x"), owner="acme")
    await wait_until_async(store.workers)
    assert (await store.present(accepted.job_id)).state is State.QUEUED
    note = (await store.controls.holds("thumbnails"))["pause"]
    assert (note.reason, note.by) == ("the disk is full", "ann")
    await store.controls.remove("thumbnails", "pause")
    await wait_until_async(lambda: ledger.lines("echo"))


async def test_a_pause_ends_by_itself(store, enqueuer, start_worker, ledger) -> None:
    start_worker()
    await store.controls.set("thumbnails", "pause", reason="a moment", by="ann", until_ms=now_ms() + 1500)
    await enqueuer.enqueue(probe.probe_echo, probe.Echo(word="x"), owner="acme")
    await wait_until_async(lambda: ledger.lines("echo"))
    assert await store.controls.holds("thumbnails") == {}


async def test_a_limit_holds_over_all_workers(store, enqueuer, start_worker, ledger) -> None:
    await store.controls.set("thumbnails", "limit", 1, reason="gently", by="ann")
    start_worker()
    start_worker()
    await enqueuer.enqueue_many(probe.probe_steps, [probe.Steps(steps=3)] * 6, owner="acme")
    seen = set()

    async def done() -> bool:
        seen.add(await store.redis.hlen("offload:running:thumbnails"))
        return (await store.counts())["thumbnails"][State.COMPLETED] == 6

    await wait_until_async(done)
    assert max(seen) == 1


async def test_a_rate_spaces_the_starts(store, enqueuer, start_worker, ledger) -> None:
    await store.controls.set("thumbnails", "rate", 240, reason="gently", by="ann")
    start_worker()
    start_worker()
    await enqueuer.enqueue_many(probe.probe_echo, [probe.Echo(word="x")] * 6, owner="acme")
    await wait_until_async(lambda: len(ledger.lines("echo")) == 6)
    starts = sorted([(await store.present(line[0])).started_ms for line in ledger.lines("echo")])
    assert all(later - earlier >= 249 for earlier, later in itertools.pairwise(starts))


@pytest.mark.parametrize(
    ("kind", "value", "reason", "until_ms", "message"),
    [
        ("limit", 0, "why", None, "at least 1"),
        ("pause", 0, " ", None, "give a reason"),
        ("pause", 0, "why", 5, "in the past"),
    ],
)
async def test_nonsense_is_refused(store, kind, value, reason, until_ms, message) -> None:
    with pytest.raises(ValueError, match=message):
        await store.controls.set("thumbnails", kind, value, reason=reason, by="ann", until_ms=until_ms)
