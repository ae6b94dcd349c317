"""RQ's client, results not kept. It is synchronous."""

import os
import time
from functools import partial

from redis import Redis
from rq import Queue

from bench.peers import synchronous

queue = Queue("bench", connection=Redis.from_url(os.environ.get("BENCH_URL", "redis://127.0.0.1")))


class Client(synchronous.Client):
    """As the others, and with a bulk form."""

    async def fill(self, count: int, *, bulk: bool) -> float:
        """Enqueue `count` jobs. Answers seconds."""
        if not bulk:
            return await super().fill(count, bulk=False)
        begun_s = time.perf_counter()
        queue.enqueue_many([Queue.prepare_data(synchronous.noop, (0,), result_ttl=0) for _ in range(count)])
        return time.perf_counter() - begun_s


client = Client(
    partial(queue.enqueue, synchronous.noop, result_ttl=0), partial(queue.enqueue, synchronous.busy, result_ttl=0)
)
