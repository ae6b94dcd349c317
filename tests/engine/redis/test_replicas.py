"""Writes that wait for a replica where OFFLOAD_ENQUEUE_WAIT is set: a permission of `run.once`, which no failover may take
back."""

import asyncio
from collections.abc import AsyncIterator, Iterator
from urllib.parse import urlsplit

import msgspec
import pytest

from service.engine.enqueuer import Enqueuer
from service.engine.pool.cpu_pool import CpuPool
from service.engine.redis.client import connect
from service.engine.redis.command_connection import CommandConnection
from service.engine.runtime import Runtime
from service.engine.store import NotReplicated, Store
from service.engine.store.script_inputs import Claim
from service.engine.worker.job_run import JobRun
from service.lib.storage.object_storage import Storage
from service.supervisor.valkey import EmbeddedValkey
from settings import load_settings
from tests.engine import probe
from tests.waiting import wait_until_async


@pytest.fixture(scope="module")
def own_server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[EmbeddedValkey]:
    with EmbeddedValkey(tmp_path_factory.mktemp("primary"), fsync="everysec") as server:
        yield server


@pytest.fixture
async def replicated(own_server: EmbeddedValkey) -> AsyncIterator[Store]:
    redis, connection = connect(own_server.url), CommandConnection(own_server.url)
    yield Store(redis, connection, replicas=1)
    await connection.aclose()
    await redis.aclose(close_connection_pool=True)


@pytest.fixture
async def run(replicated: Store, settings_env: dict[str, str]) -> JobRun:
    """One attempt, as `services.py` puts it together: its own store waits for no replica, the enqueuer's does."""
    settings, plain = load_settings(), Store(replicated.redis)
    await Enqueuer(plain, settings.queues).enqueue(probe.probe_echo, probe.Echo(), owner="acme")
    known = msgspec.msgpack.encode(["probe-echo"])
    (job,) = (await plain.claimed(Claim("thumbnails", "w", 1, 60_000, known))).jobs
    runtime = Runtime(settings, plain, Enqueuer(replicated, settings.queues), Storage(settings.storage_url), {})
    return JobRun(job, runtime, CpuPool(1, memory_mb=256, name="unused"))


async def test_an_effect_is_allowed_once_a_replica_knows_of_it(
    own_server: EmbeddedValkey, run: JobRun, tmp_path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("service.engine.store.store.REPLICATED_MS", 20)
    allowed = asyncio.ensure_future(run.once("mail"))
    checkpoints = f"offload:checkpoint:{run.job_id}"
    await wait_until_async(lambda: run.runtime.store.redis.hexists(checkpoints, "mail"))
    with pytest.raises(NotReplicated):
        await run.runtime.enqueuer.store.checkpointed(run.job, "bill", b"mine")
    # Another's permission waits for nothing: its owner has waited, or has not had the effect.
    assert await run.runtime.enqueuer.store.checkpointed(run.job, "mail", b"other") != b"other"
    assert not allowed.done()
    with EmbeddedValkey(tmp_path / "replica", fsync="everysec") as second:
        replica = connect(second.url)
        address = urlsplit(own_server.url)
        await run.runtime.store.redis.config_set("repl-diskless-sync-delay", 0)
        await replica.config_set("masterauth", address.password)
        await replica.replicaof("127.0.0.1", str(address.port))
        assert await allowed is True
        assert await replica.hexists(checkpoints, "mail")
        assert await run.once("mail") is False
        await replica.aclose(close_connection_pool=True)
