"""Two servers, one of them for the thumbnails queue: each job stands on its own queue's, and reads go over both."""

from collections.abc import AsyncIterator, Sequence

import msgspec
import pytest

from service.engine.enqueuer import Enqueuer
from service.engine.job_requests import JobRequest, Step
from service.engine.redis.away import QueueServerAway, partial_reads
from service.engine.redis.client import Client
from service.engine.redis.places import of_queue, open_places, places_of
from service.engine.states import State
from service.engine.store import AcrossServers, Job, JobFilter, NoSuchJob, Store, TooManyQueued
from service.engine.store.bulk_operations import Selection
from service.engine.store.outbox import Outbox
from service.engine.store.placed import PlacedStore, open_store
from service.engine.store.script_inputs import Claim, NewJob, OnwardJob, Outcome, as_json, new_job
from service.engine.store.undo import record_changes
from service.supervisor.valkey import EmbeddedValkey
from settings import load_settings
from tests.engine import probe
from tests.two_servers import AWAY, Export, probe_export, second

__all__ = ["second"]

TYPES = msgspec.msgpack.encode(["probe-echo", "probe-export", "probe-spread"])


@pytest.fixture
async def redis(second: EmbeddedValkey) -> AsyncIterator[Client]:
    async with open_places(load_settings()) as client:
        yield client


@pytest.fixture
async def store(redis: Client) -> AsyncIterator[PlacedStore]:
    store = open_store(redis)
    assert isinstance(store, PlacedStore)
    yield store
    await store.aclose()


@pytest.fixture
def enqueuer(store: PlacedStore) -> Enqueuer:
    return Enqueuer(store, load_settings().queues)


async def echo(enqueuer: Enqueuer, owner: str = "acme") -> str:
    return (await enqueuer.enqueue(probe.probe_echo, probe.Echo(), owner=owner)).job_id


async def export(enqueuer: Enqueuer, owner: str = "acme") -> str:
    return (await enqueuer.enqueue(probe_export, Export(), owner=owner)).job_id


async def claimed(store: Store, queue: str) -> Sequence[Job]:
    return (await store.of_queue(queue).claimed(Claim(queue, "w", 10, 60_000, TYPES))).jobs


def follower(job_id: str) -> NewJob:
    return new_job(
        probe.probe_echo, probe.Echo(), job_id=job_id, owner="acme", priority="normal", retries=0, cost_ms=5, units=0
    )


async def test_each_job_stands_on_its_queues_server_and_lists_go_over_both(store, enqueuer) -> None:
    ids = [await one(enqueuer) for one in (echo, export, echo, export, export)]
    main, own = store.stores
    assert [job.id for job in (await main.list()).jobs] == [ids[4], ids[3], ids[1]]
    assert [job.id for job in (await own.list()).jobs] == [ids[2], ids[0]]

    assert [job.id for job in (await store.list()).jobs] == ids[::-1]
    first = await store.list(limit=2)
    second_page = await store.list(limit=2, cursor=first.next_cursor)
    third = await store.list(limit=2, cursor=second_page.next_cursor)
    pages = [[job.id for job in page.jobs] for page in (first, second_page, third)]
    assert pages == [ids[:2:-1], ids[2:0:-1], ids[:1]] and third.next_cursor is None
    assert [job.id for job in (await store.list(queue="thumbnails")).jobs] == [ids[2], ids[0]]
    assert [job.id for chunk in [c async for c in store.walk("acme", 2)] for job in chunk] == ids[::-1]
    assert [job.id for job in await store.get_many(ids) if job] == ids
    assert await store.count("acme") == 5
    counts = await store.counts()
    assert (counts["thumbnails"][State.QUEUED], counts["csv-export"][State.QUEUED]) == (2, 3)
    assert (await store.counts_of_owner("acme"))[State.QUEUED] == 5
    stamp = (await store.present(ids[1])).stamp
    assert await store.newer(JobFilter(), stamp, 10) == 3


async def test_a_job_is_found_by_its_id_also_where_its_type_was_moved(store, redis) -> None:
    # Queued while the type's queue was on the main server.
    moved = follower("probe-echo-moved")
    await store.stores[0].queued([moved])
    assert (await store.present("probe-echo-moved")).queue == "thumbnails"
    await store.cancel("probe-echo-moved")
    assert (await store.stores[0].present("probe-echo-moved")).state is State.CANCELLED
    with pytest.raises(NoSuchJob):
        await store.cancel("probe-echo-nowhere")
    assert await store.unknown(["probe-echo-moved", "probe-echo-nowhere"]) == ["probe-echo-nowhere"]


async def test_an_owners_limit_counts_what_waits_on_both(store, enqueuer, monkeypatch) -> None:
    enqueuer.preparation.queues = {
        queue: bounds.model_copy(update={"owner_limit": 2}) for queue, bounds in enqueuer.preparation.queues.items()
    }
    await echo(enqueuer)
    await export(enqueuer)
    with pytest.raises(TooManyQueued):
        await echo(enqueuer)
    await export(enqueuer, owner="globex")


async def test_jobs_that_go_together_stand_on_one_server(store, enqueuer) -> None:
    both = [JobRequest(probe.probe_echo, probe.Echo()), JobRequest(probe_export, Export())]
    words = "jobs of the queues csv-export and thumbnails cannot go together: they stand on more than one queue server"
    with pytest.raises(AcrossServers, match=words):
        await enqueuer.enqueue_together(both, owner="acme", all_or_nothing=True)
    steps = [Step("one", both[0], ()), Step("two", both[1], ("one",))]
    with pytest.raises(AcrossServers, match=words):
        await enqueuer.enqueue_workflow(
            steps, workflow_id="workflow-1", owner="acme", goes_on=False, key="", fingerprint=""
        )
    assert await store.count(None) == 0
    accepted = await enqueuer.enqueue_together(both, owner="acme", all_or_nothing=False)
    assert len(accepted) == await store.count("acme") == 2


async def test_a_chain_goes_on_on_the_other_server_once(store, enqueuer, second) -> None:
    await export(enqueuer)
    (job,) = await claimed(store, "csv-export")
    main = store.of_queue("csv-export")
    outbox = Outbox(main, store)
    second.kill()
    settle = outbox.settling(main.settled)
    next_job = follower("probe-echo-next")
    assert await settle([Outcome(job.id, job.queue, job.fence, "completed", next=[next_job])]) == ["completed"]
    assert (await main.present(job.id)).state is State.COMPLETED
    assert await main.redis.llen("offload:onward:thumbnails") == 1

    second.restart()
    row = await main.redis.lindex("offload:onward:thumbnails", 0)
    await outbox.move()
    assert (await store.of_queue("thumbnails").present("probe-echo-next")).state is State.QUEUED
    assert await main.redis.llen("offload:onward:thumbnails") == 0

    # As a process does that died between the two servers: the job may have run, and been removed, in the meantime.
    await main.redis.rpush("offload:onward:thumbnails", row)
    (echoed,) = await claimed(store, "thumbnails")
    own = store.of_queue("thumbnails")
    await own.settled([Outcome(echoed.id, echoed.queue, echoed.fence, "completed")])
    await own.purged([echoed.id])
    await outbox.move()
    assert await own.get("probe-echo-next") is None
    assert await main.redis.llen("offload:onward:thumbnails") == 0


async def test_no_job_follows_one_that_was_not_recorded(store, enqueuer) -> None:
    await export(enqueuer)
    (job,) = await claimed(store, "csv-export")
    main = store.of_queue("csv-export")
    settle = Outbox(main, store).settling(main.settled)
    stale = Outcome(job.id, job.queue, job.fence - 1, "completed", next=[follower("probe-echo-next")])
    assert await settle([stale]) == ["lost"]
    # What cannot be read as JSON fails after the script has begun to write.
    broken = Outcome(job.id, job.queue, job.fence, "completed", result="{", next=[follower("probe-echo-next")])
    (answer,) = await settle([broken])
    assert answer.startswith("error")
    assert await main.redis.llen("offload:onward:thumbnails") == 0
    assert await store.get("probe-echo-next") is None


async def test_while_one_server_is_away_the_others_queues_go_on(store, enqueuer, second) -> None:
    mine, theirs = await export(enqueuer), await echo(enqueuer)
    second.kill()
    with pytest.raises(QueueServerAway, match=AWAY):
        await echo(enqueuer)
    with pytest.raises(QueueServerAway, match=AWAY):
        await store.get(theirs)
    other = await export(enqueuer)
    assert (await store.present(mine)).id == mine
    assert [job.id for job in (await store.list(queue="csv-export")).jobs] == [other, mine]
    with pytest.raises(QueueServerAway, match=AWAY):
        await store.list()
    with partial_reads() as away:
        assert [job.id for job in (await store.list()).jobs] == [other, mine]
        assert (await store.counts())["csv-export"][State.QUEUED] == 2
        assert await store.controls.holds("thumbnails") == {}
    assert away == {"the server of the queue thumbnails"}
    both = [JobRequest(probe.probe_echo, probe.Echo()), JobRequest(probe_export, Export())]
    refused, accepted = await enqueuer.enqueue_together(both, owner="acme", all_or_nothing=False)
    assert isinstance(refused, QueueServerAway) and accepted
    second.restart()
    assert (await store.present(theirs)).state is State.QUEUED
    await echo(enqueuer)


async def test_operations_and_error_groups_are_those_of_both(store, enqueuer) -> None:
    ids = [await echo(enqueuer), await export(enqueuer)]
    for queue in ("thumbnails", "csv-export"):
        for job in await claimed(store, queue):
            fields = ["error", "it went wrong", "fingerprint", "f", "error_type", "ValueError"]
            await store.of_queue(queue).settled([Outcome(job.id, queue, job.fence, "failed", fields=fields)])
    (group,) = await store.error_groups.list()
    assert (group.waiting, group.seen) == (2, 2) and await store.error_groups.get("f") == group
    assert sorted(await store.error_groups.jobs("f")) == sorted(ids)
    await store.error_groups.live("f", "ignored")
    assert {g.life for each in store.stores for g in await each.error_groups.list()} == {"ignored"}

    operation = await store.operations.begin("retry", Selection(fingerprint="f"), words="all", by="admin")
    assert (operation.total, operation.state) == (2, "running")
    for each in store.stores:
        (job_id,) = await each.operations.next_ids(operation.id, 10)
        await each.retry(job_id)
        await each.operations.record(operation.id, job_id, done=True)
        await each.operations.finish(operation.id)
    (done,) = await store.operations.list()
    assert (done.done, done.state) == (2, "done")
    chosen = await store.operations.begin("cancel", Selection(ids=tuple(ids)), words="two", by="admin")
    assert [len(await each.operations.next_ids(chosen.id, 10)) for each in store.stores] == [1, 1]
    assert (await store.operations.abort(chosen.id)).state == "aborted"

    for each in store.stores:
        recorded = await record_changes(each.redis, chosen.id, await each.operations.next_ids(chosen.id, 10))
        assert len(recorded) == 1
        await each.cancel(recorded.pop())
    assert (await store.operations.undoable(chosen.id)).jobs == 2
    undoing = await store.operations.undo(chosen.id, by="bea")
    assert (undoing.kind, undoing.total, undoing.by) == ("requeue", 2, "bea")
    assert sorted([i for each in store.stores for i in await each.operations.next_ids(undoing.id, 10)]) == sorted(ids)


MAIN_ONLY = {"check_writes", "leads", "resigned", "sync_clock"}
"""Verbs that are about one server: each server's own maintenance calls its own, and a process has the main one's time."""

COMPOSED = {"list"}
"""Made of other verbs alone."""


def test_every_verb_of_the_store_knows_of_several_servers() -> None:
    verbs = {name for name in dir(Store) if not name.startswith("_") and callable(getattr(Store, name))}
    inherited = {name for name in verbs if getattr(PlacedStore, name) is getattr(Store, name)}
    assert inherited == MAIN_ONLY | COMPOSED


async def test_what_knows_a_queue_reaches_its_server(store, redis, second) -> None:
    await store.controls.set("thumbnails", "pause", reason="new pictures", by="admin")
    own = of_queue(redis, "thumbnails")
    assert await own.hexists("offload:queue:thumbnails", "pause")
    assert not await redis.exists("offload:queue:thumbnails")
    assert [place.server for place in places_of(redis).all] == ["", "the server of the queue thumbnails"]


async def test_a_job_on_its_way_to_another_server_is_not_unknown(store: PlacedStore, enqueuer: Enqueuer) -> None:
    first = await echo(enqueuer)
    following = await enqueuer.request(probe_export, Export(), job_id="probe-export-next", owner="acme")
    (job,) = await claimed(store, "thumbnails")
    outbox = Outbox(store.of_queue("thumbnails"), store)
    outcome = Outcome(job.id, "thumbnails", job.fence, "completed", next=[following])
    # Settled, and not moved yet: a clean-up of the storage must not take its payload for one of no job.
    outcome.next = [OnwardJob(following.id, following.queue, as_json(following))]
    assert await store.of_queue("thumbnails").settled([outcome]) == ["completed"]
    ids = [first, following.id, "gone"]
    assert await store.unknown(ids) == ["gone"]
    await outbox.move()
    assert await store.unknown(ids) == ["gone"]
