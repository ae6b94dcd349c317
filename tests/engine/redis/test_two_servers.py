"""Workers of two queues on two servers, of which one is killed: chains go across, each link once, and nothing is lost."""

import asyncio

import pytest

from service.engine.enqueuer import Enqueuer
from service.engine.redis.places import open_places
from service.engine.states import State
from service.engine.store.placed import open_store
from service.supervisor.valkey import EmbeddedValkey
from settings import load_settings
from tests.engine import probe
from tests.two_servers import Export, probe_export, second
from tests.waiting import until_state, wait_until_async

__all__ = ["second"]


@pytest.mark.chaos
async def test_a_chain_goes_across_while_one_server_dies(second: EmbeddedValkey, start_worker, ledger) -> None:
    workers = [start_worker(f"tests.engine.two_workers.{name}") for name in ("Exports", "Pictures")]
    async with open_places(load_settings()) as redis:
        store = open_store(redis)
        enqueuer = Enqueuer(store, load_settings().queues)
        first = await enqueuer.enqueue(probe_export, Export(then=2), owner="acme")
        await until_state(store, first.job_id, State.COMPLETED)
        await wait_until_async(lambda: len(ledger.lines("echo")) == 2)

        waiting = await enqueuer.enqueue_many(probe.probe_steps, [probe.Steps(steps=20)], owner="acme")
        await wait_until_async(lambda: len(ledger.lines("step")) > 2)
        second.kill()
        # The other queue goes on; what follows on the dead server waits on the living one.
        chains = [(await enqueuer.enqueue(probe_export, Export(then=3), owner="acme")).job_id for _ in range(10)]
        for job_id in chains:
            await until_state(store, job_id, State.COMPLETED)
        assert len(ledger.lines("echo")) == 2
        await asyncio.to_thread(second.restart)

        await wait_until_async(lambda: len(ledger.lines("echo")) == 32)
        next_jobs = [i for job in await store.get_many([first.job_id, *chains]) if job for i in job.next_jobs]
        for job_id in (*waiting, *next_jobs):
            assert (await until_state(store, job_id)).state is State.COMPLETED
        assert sorted(job_id for job_id, *_ in ledger.lines("echo")) == sorted(next_jobs), "each link once"
        assert [int(step) for _, step in ledger.lines("step")] == list(range(20)), "each step once, in order"
        assert all(worker.process.poll() is None for worker in workers), "the workers live"
        await store.aclose()
