"""One owner's burst leaves connections for the others."""

import asyncio

from service.engine.redis.client import connect
from service.engine.redis.shared_pool import EACH
from service.lib.fair_turns import WHOSE
from tests.waiting import LIMIT_S, wait_until_async


async def test_a_burst_of_one_owner_leaves_connections_for_others(redis_url: str) -> None:
    client = connect(redis_url, max_connections=EACH + 5)
    pool = client.connection_pool

    async def burst() -> None:
        WHOSE.set("acme")
        await client.blpop("nothing", timeout=0)

    tasks = [asyncio.create_task(burst()) for _ in range(3 * EACH)]
    await wait_until_async(lambda: len(pool.holders) >= EACH)
    # They wait forever, so that another is answered only where it is let past them.
    assert await asyncio.wait_for(client.ping(), LIMIT_S)
    assert list(pool.holders.values()).count("acme") == EACH
    for task in tasks:
        task.cancel()
    await asyncio.wait(tasks)
    assert await client.ping() and pool.holders == {}
    await client.aclose(close_connection_pool=True)
