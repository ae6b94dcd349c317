"""Watchers of jobs: however many begin and end together, one connection serves them."""

import asyncio

from service.engine.redis.client import connect
from service.engine.store import Store
from service.engine.store.channels import of_job
from service.lib.fair_turns import WHOSE
from tests.waiting import wait_until_async


async def test_watchers_that_begin_together_share_a_connection_and_all_see_the_change(redis_url: str) -> None:
    redis = connect(redis_url)
    store = Store(redis)
    WHOSE.set("acme")
    pool = redis.connection_pool

    async def first_change(job_id: str, ready: asyncio.Barrier) -> None:
        async with store.watchers.watch(job_id) as changes:
            await ready.wait()
            await anext(changes)

    async def publish_until_done(watching: list[asyncio.Task[None]]) -> bool:
        # Sent once more until each has it: a subscription is confirmed by the server in its own time.
        for job_id in ("job-0", "job-1"):
            await redis.publish(of_job(job_id), "")
        return all(task.done() for task in watching)

    for _ in range(2):
        ready = asyncio.Barrier(61)
        watching = [asyncio.create_task(first_change(f"job-{number % 2}", ready)) for number in range(60)]
        await ready.wait()
        await wait_until_async(lambda watching=watching: publish_until_done(watching))
        assert len(await redis.client_list(_type="pubsub")) <= 1
        assert store.watchers.listener is not None and not store.watchers.listener.done()
        await wait_until_async(lambda: [whose for whose in pool.holders.values() if whose == "acme"] == [])
    assert store.watchers.waiting == {}
    await store.watchers.close()
    await redis.aclose(close_connection_pool=True)
