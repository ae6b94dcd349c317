"""A server that takes no writes for a while (too few replicas, a replica) costs nothing but the while."""

import asyncio
from collections.abc import Awaitable, Callable, Iterator

import msgspec
import pytest

from service.engine.batching import Batcher
from service.engine.enqueuer import Enqueuer
from service.engine.outcomes import OutcomeKind
from service.engine.redis.client import Client, connect
from service.engine.store import Store
from service.engine.store.script_inputs import Claim, Outcome
from service.engine.store.worker_verbs import UntilBack
from service.supervisor.valkey import EmbeddedValkey
from settings import load_settings
from tests.engine import probe
from tests.waiting import wait_until_async


@pytest.fixture(scope="module")
def own_server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[EmbeddedValkey]:
    with EmbeddedValkey(tmp_path_factory.mktemp("no-writes"), fsync="everysec") as server:
        yield server


async def without_replicas(redis: Client) -> Callable[[], Awaitable[object]]:
    await redis.config_set("min-replicas-to-write", 1)
    return lambda: redis.config_set("min-replicas-to-write", 0)


async def as_a_replica(redis: Client) -> Callable[[], Awaitable[object]]:
    # Of a server that does not answer: it keeps what it has and takes no writes, as before a promotion.
    await redis.replicaof("127.0.0.1", "1")
    return lambda: redis.replicaof("NO", "ONE")


@pytest.mark.parametrize("refusing", [without_replicas, as_a_replica])
async def test_an_outcome_waits_until_the_server_takes_it(own_server: EmbeddedValkey, settings_env, refusing) -> None:
    redis = connect(own_server.url)
    store = Store(redis)
    await Enqueuer(store, load_settings().queues).enqueue(probe.probe_echo, probe.Echo(), owner="acme")
    known = msgspec.msgpack.encode(["probe-echo"])
    (job,) = (await store.claimed(Claim("thumbnails", "w", 1, 60_000, known))).jobs
    tries = 0
    settled = store.settled

    async def counted(outcomes: list[Outcome]) -> list[str]:
        nonlocal tries
        tries += 1
        return await settled(outcomes)

    store.settled = counted  # type: ignore[method-assign]  # only its calls are counted
    accepting = await refusing(redis)
    recorded = asyncio.ensure_future(
        Batcher(UntilBack(store).settled).soon(Outcome(job.id, job.queue, job.fence, OutcomeKind.COMPLETED))
    )
    await wait_until_async(lambda: tries > 1)
    assert not recorded.done()
    await accepting()
    assert await recorded == "completed"
    await redis.aclose(close_connection_pool=True)
