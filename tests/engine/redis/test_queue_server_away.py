"""The queue server dies and comes back: no worker exits, nothing runs twice, nothing is lost."""

import asyncio
from pathlib import Path

import pytest

from service.engine.enqueuer import Enqueuer
from service.engine.redis.client import connect
from service.engine.states import State
from service.engine.store import Store
from service.supervisor.valkey import EmbeddedValkey
from settings import load_settings
from tests.engine import probe
from tests.waiting import wait_until_async


@pytest.fixture
def own_server(tmp_path: Path, settings_env: dict[str, str], monkeypatch: pytest.MonkeyPatch):
    """A server of this test's own, that it may kill."""
    with EmbeddedValkey(tmp_path / "own-valkey") as server:
        settings_env["OFFLOAD_REDIS_URL"] = server.url
        monkeypatch.setenv("OFFLOAD_REDIS_URL", server.url)
        load_settings.cache_clear()
        yield server


@pytest.mark.chaos
@pytest.mark.parametrize("away_s", [0.0, 5.0])
async def test_a_job_survives_a_kill_of_the_server(
    own_server: EmbeddedValkey, start_worker, ledger, away_s: float
) -> None:
    worker = start_worker()
    redis = connect(own_server.url)
    store = Store(redis)
    enqueuer = Enqueuer(store, load_settings().queues)
    running = await enqueuer.enqueue(probe.probe_steps, probe.Steps(steps=100), owner="acme")
    await wait_until_async(lambda: len(ledger.lines("step")) > 5)
    waiting = await enqueuer.enqueue_many(probe.probe_echo, [probe.Echo(word=str(n)) for n in range(50)], owner="acme")

    own_server.kill()
    # How long the server is away is what the test is about, not something that it waits for.
    await asyncio.sleep(away_s)
    await asyncio.to_thread(own_server.restart)

    async def all_done() -> bool:
        jobs = await store.get_many([running.job_id, *waiting])
        return all(job is not None and job.state is State.COMPLETED for job in jobs)

    await wait_until_async(all_done)
    assert worker.process.poll() is None, "the worker lives"
    assert [int(step) for _, step in ledger.lines("step")] == list(range(100)), "each step once, in order"
    assert len(ledger.lines("begin")) == 1, "the running job was not started again"
    assert len(ledger.lines("echo")) == 50
    job = await store.present(running.job_id)
    assert (job.attempt, job.progress) == (1, 100)
    await redis.aclose(close_connection_pool=True)
