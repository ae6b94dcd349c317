"""A server without memory refuses new jobs, and everything that ends in freeing memory goes on."""

from collections.abc import AsyncIterator, Iterator

import msgspec
import pytest
from redis.exceptions import OutOfMemoryError

from service.engine.enqueuer import Enqueuer
from service.engine.job_files import JobFiles
from service.engine.maintenance import Maintenance
from service.engine.outcomes import OutcomeKind
from service.engine.redis.client import connect
from service.engine.states import State
from service.engine.store import Job, Store, WorkerInfo, keys
from service.engine.store.script_inputs import Claim, Outcome
from service.lib.storage.object_storage import Storage
from service.supervisor.valkey import EmbeddedValkey
from settings import load_settings
from tests.engine import probe
from tests.servers import redis_server

QUEUE = "thumbnails"
KNOWN = msgspec.msgpack.encode(["probe-echo"])
LEASE_MS = 60_000


@pytest.fixture(scope="module", params=["valkey", "redis"])
def server(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    folder = tmp_path_factory.mktemp("full")
    if request.param == "redis":
        with redis_server(folder, "--maxmemory-policy", "noeviction") as url:
            yield url
    else:
        with EmbeddedValkey(folder, fsync="everysec") as server:
            yield server.url


@pytest.fixture
async def full(server: str, settings_env: dict[str, str]) -> AsyncIterator["Full"]:
    redis = connect(server)
    await redis.config_set("maxmemory", 0)
    await redis.flushall()
    store = Store(redis)
    yield Full(store, Enqueuer(store, load_settings().queues))
    await store.watchers.close()
    await redis.aclose(close_connection_pool=True)


class Full:
    """An installation whose queue server is going to be full."""

    def __init__(self, store: Store, enqueuer: Enqueuer) -> None:
        self.store = store
        self.enqueuer = enqueuer

    async def enqueue(self, count: int = 1) -> list[str]:
        return await self.enqueuer.enqueue_many(probe.probe_echo, [probe.Echo(word="x" * 100)] * count, owner="acme")

    async def claim(self, count: int = 1) -> list[Job]:
        return (await self.store.claimed(Claim(QUEUE, "w", count, LEASE_MS, KNOWN, reap=True))).jobs

    async def end(self, job: Job, kind: OutcomeKind) -> str:
        return (await self.store.settled([Outcome(job.id, QUEUE, job.fence, kind, result='"done"', delay_ms=60_000)]))[
            0
        ]

    async def fill(self) -> None:
        """No byte is left."""
        used = int((await self.store.redis.info("memory"))["used_memory"])
        await self.store.redis.config_set("maxmemory", used // 2)
        with pytest.raises(OutOfMemoryError):
            await self.store.redis.set("more", "x")

    async def state(self, job_id: str) -> State:
        return (await self.store.present(job_id)).state


async def test_what_runs_is_ended_and_what_waits_is_run(full: Full) -> None:
    ids = await full.enqueue(4)
    running = await full.claim(2)
    await full.fill()
    kinds = [OutcomeKind.COMPLETED, OutcomeKind.RETRY]
    assert [await full.end(job, kind) for job, kind in zip(running, kinds, strict=True)] == ["completed", "retrying"]
    rest = await full.claim(4)
    assert {job.id for job in rest} == set(ids) - {job.id for job in running}
    await full.store.progressed(rest[0], 50, "Half", {}, 1)
    assert await full.store.checkpointed(rest[0], "page", b"1") == b"1"
    lost, stop = await full.store.renewed(QUEUE, LEASE_MS, [(job.id, job.fence) for job in rest])
    assert (lost, stop) == ([], [])
    assert [await full.end(job, OutcomeKind.COMPLETED) for job in rest] == ["completed"] * 2


async def test_jobs_are_cancelled_deleted_and_removed(full: Full) -> None:
    (job_id,) = await full.enqueue()
    await full.fill()
    assert (await full.store.cancel(job_id)).state is State.CANCELLED
    await full.store.delete(job_id)
    assert await full.store.purged([job_id]) == 1
    assert await full.store.redis.exists(keys.job(job_id)) == 0


async def test_a_new_job_is_refused_whole_and_readiness_knows(full: Full) -> None:
    await full.enqueue()
    await full.store.check_writes()
    await full.fill()
    before = sorted(await full.store.redis.keys("*"))
    with pytest.raises(OutOfMemoryError):
        await full.enqueue()
    with pytest.raises(OutOfMemoryError):
        await full.store.check_writes()
    assert sorted(await full.store.redis.keys("*")) == before


async def test_what_is_refused_changes_nothing(full: Full) -> None:
    """A retry is refused: the job stays as it was, in every list, and can be retried once there is room."""
    (job_id,) = await full.enqueue()
    await full.store.cancel(job_id)
    await full.fill()
    with pytest.raises(OutOfMemoryError):
        await full.store.retry(job_id)
    assert await full.state(job_id) is State.CANCELLED
    assert await full.store.redis.zscore(keys.finished(QUEUE), job_id) is not None
    await full.store.redis.config_set("maxmemory", 0)
    await full.store.retry(job_id)
    assert [job.id for job in await full.claim()] == [job_id]


async def test_workers_report_and_one_process_leads(full: Full) -> None:
    await full.fill()
    info = WorkerInfo(
        "w", QUEUE, "host", 1, [], "1", started_at_ms=1, heartbeat_ms=0, active=0, processed=0, failed=0, rss_bytes=0
    )
    reports = full.store.worker_reports
    await reports.write(info, arq_key="thumbnails:health-check", arq_line="j_ongoing=0", arq_ms=9000)
    (worker,) = await full.store.workers()
    assert worker.id == "w" and worker.heartbeat_ms > 0
    assert await full.store.leads("a", 60_000) and await full.store.leads("a", 60_000)
    assert not await full.store.leads("b", 60_000)
    await full.store.resigned("a")
    assert await full.store.leads("b", 60_000)


async def test_what_ended_first_goes_before_its_time(full: Full) -> None:
    ids = await full.enqueue(2000)
    for job_id in ids[:1800]:
        await full.store.cancel(job_id)
    settings = load_settings()
    maintenance = Maintenance(settings, full.store, JobFiles(full.store, Storage(settings.storage_url)))
    await maintenance.retain()
    assert await full.store.get(ids[0]) is not None, "there is room"
    memory = await full.store.redis.info("memory")
    await full.store.redis.config_set("maxmemory", int(0.98 * memory["used_memory"]))
    with pytest.raises(OutOfMemoryError):
        await full.store.check_writes()
    await maintenance.retain()
    await full.store.check_writes()
    assert await full.store.get(ids[0]) is None
    stored = {job.id for job in (await full.store.list(owner="acme", limit=2000)).jobs}
    assert set(ids[1790:]) <= stored, "what ended last and what waits is there"
