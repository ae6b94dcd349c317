"""A real cluster: each queue is a place of its own on one of its servers, and stays one over failovers and moves of its slot."""

import asyncio
import contextlib
from collections.abc import AsyncIterator, Callable
from pathlib import Path

import pytest
import redis as sync_redis
from redis.exceptions import ConnectionError as RedisConnectionError
from redis.exceptions import RedisError

from service.engine.enqueuer import Enqueuer
from service.engine.redis.client import Client, connect
from service.engine.redis.places import open_places, places_of
from service.engine.states import State
from service.engine.store import Job, JobFilter
from service.engine.store.bulk_operations import Selection
from service.engine.store.placed import PlacedStore, open_store
from settings import Queue, load_settings
from tests.clusters import Node, ThreePrimaries, cluster, servers
from tests.engine import probe
from tests.two_servers import Export, probe_export
from tests.waiting import until_state, wait_until, wait_until_async

__all__ = ["cluster", "servers"]


@pytest.fixture
async def client(cluster: ThreePrimaries) -> AsyncIterator[Client]:
    async with open_places(load_settings()) as client:
        yield client


@pytest.fixture
async def store(client: Client) -> AsyncIterator[PlacedStore]:
    store = open_store(client)
    assert isinstance(store, PlacedStore)
    yield store
    await store.aclose()


@pytest.fixture
def enqueuer(store: PlacedStore) -> Enqueuer:
    return Enqueuer(store, load_settings().queues)


async def test_each_queue_is_a_place_and_none_sees_anothers_keys(cluster, client, store, enqueuer) -> None:
    echo = (await enqueuer.enqueue(probe.probe_echo, probe.Echo(), owner="acme", idempotency_key="k")).job_id
    again = (await enqueuer.enqueue(probe.probe_echo, probe.Echo(), owner="acme", idempotency_key="k")).job_id
    export = (await enqueuer.enqueue(probe_export, Export(), owner="acme")).job_id
    assert echo == again and len(places_of(client).all) == 1 + len(Queue)
    assert [job.id for job in (await store.list()).jobs] == [export, echo]
    assert (await store.counts_of_owner("acme"))[State.QUEUED] == 2 == await store.count("acme")
    assert await store.newer(JobFilter(), 0, 10) == 2
    for queue, job_id in (("thumbnails", echo), ("csv-export", export)):
        own = store.of_queue(queue)
        assert [job.id for job in (await own.list()).jobs] == [job_id]
        names = [name async for name in own.redis.scan_iter(match="offload:job:*")]
        assert names == [f"offload:job:{job_id}".encode()]
        raw = cluster.owner(queue).client
        assert raw.exists(f"{{offload:{queue}}}offload:job:{job_id}")
    every = {key for node in cluster.primaries for key in node.client.scan_iter()}
    assert every and all(key.startswith(b"{offload") for key in every)
    assert (await store.cancel(echo)).state is State.CANCELLED
    assert (await store.retry(echo)).state is State.QUEUED
    operation = await store.operations.begin("cancel", Selection(owner="acme"), words="all of acme", by="test")
    assert operation.total == 2


async def test_jobs_go_on_over_a_move_of_the_slot_and_a_failover(
    cluster: ThreePrimaries, store: PlacedStore, enqueuer: Enqueuer, start_worker: Callable, ledger
) -> None:
    workers = [start_worker(f"tests.engine.two_workers.{name}") for name in ("Exports", "Pictures")]
    spread = (await enqueuer.enqueue(probe.probe_spread, probe.Spread(parts=3), owner="acme")).job_id
    await until_state(store, spread, State.COMPLETED)
    first = await chained(enqueuer, 3)
    steps = (await enqueuer.enqueue(probe.probe_steps, probe.Steps(steps=20), owner="acme")).job_id
    await wait_until_async(lambda: len(ledger.lines("step")) > 2)
    # To the server with a replica, under way.
    await asyncio.to_thread(cluster.move, "thumbnails", cluster.primaries[0])
    assert cluster.owner("thumbnails") is cluster.primaries[0]
    assert (await ended(store, steps)).state is State.COMPLETED
    second = await chained(enqueuer, 3)
    for job_id in (*first, *second):
        assert (await ended(store, job_id)).state is State.COMPLETED
    await wait_until_async(lambda: len(ledger.lines("echo")) == 12)

    old = cluster.primaries[0]
    # A failover keeps what the replica has, and it has it a little later.
    wait_until(lambda: old.client.wait(1, 1000) == 1)
    more = (await enqueuer.enqueue(probe.probe_steps, probe.Steps(steps=20), owner="acme")).job_id
    await wait_until_async(lambda: len(ledger.lines("step")) > 22)
    wait_until(lambda: old.client.wait(1, 1000) == 1)
    old.kill()
    await wait_until_async(lambda: cluster.replica.client.execute_command("ROLE")[0] == b"master")

    async def answering() -> bool:
        with contextlib.suppress(RedisError):
            return await store.count("acme") > 0
        return False

    await wait_until_async(answering)
    exports = await chained(enqueuer, 3)
    for job_id in exports:
        assert (await ended(store, job_id)).state is State.COMPLETED
    await wait_until_async(lambda: len(ledger.lines("echo")) == 18)
    assert (await ended(store, more)).state is State.COMPLETED
    followers = [i for j in await store.get_many([*first, *second, *exports]) if j for i in j.next_jobs]
    assert sorted(job_id for job_id, *_ in ledger.lines("echo")) == sorted(followers), "each link once"
    assert all(worker.process.poll() is None for worker in workers), "the workers live"


async def ended(store: PlacedStore, job_id: str) -> Job:
    """The job once it has ended: while its slot moves, or its primary is replaced, its place does not answer."""

    async def there() -> Job | None:
        with contextlib.suppress(RedisError):
            job = await store.get(job_id)
            return job if job and job.state.terminal else None
        return None

    job = await wait_until_async(there)
    assert job
    return job


async def chained(enqueuer: Enqueuer, count: int) -> list[str]:
    return [(await enqueuer.enqueue(probe_export, Export(then=2), owner="acme")).job_id for _ in range(count)]


async def test_a_url_of_the_other_kind_is_refused(servers: ThreePrimaries, settings_env, monkeypatch) -> None:
    single = sync_redis.Redis.from_url(settings_env["OFFLOAD_REDIS_URL"]).connection_pool.connection_kwargs
    one, password = f"127.0.0.1:{single['port']}", single["password"]
    for url, sentence in (
        (
            f"redis://127.0.0.1:{servers.primaries[1].port}",
            "OFFLOAD_REDIS_URL names one server of a cluster: write redis",
        ),
        (f"redis+cluster://:{password}@{one}", f"OFFLOAD_REDIS_URL names a cluster, but {one} is one server without a"),
    ):
        monkeypatch.setenv("OFFLOAD_REDIS_URL", url)
        load_settings.cache_clear()
        with pytest.raises(SystemExit, match=sentence):
            async with open_places(load_settings()):
                pass


async def test_a_slot_that_no_server_has(tmp_path: Path) -> None:
    node = Node(tmp_path / "alone")
    node.client.execute_command("CLUSTER ADDSLOTSRANGE", 0, 100)
    client = connect(f"redis+cluster://127.0.0.1:{node.port}")
    with pytest.raises(RedisConnectionError, match="no server of the cluster has the slot 2768"):
        await client.ping()
    await client.aclose(close_connection_pool=True)
    node.stop()
