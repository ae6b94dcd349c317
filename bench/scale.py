"""What a job costs while others wait: enqueue and claim with 0 to 1,000,000 waiting jobs, and bytes a job on the server.

`python -m bench.scale 100000` stops at 100,000.
"""

import asyncio
import statistics
import sys
import tempfile
import time

import msgspec

from bench.harness.queue_server import server, table
from bench.peers.ours_jobs import Stamp, bench_stamp
from service.enqueue import Enqueuer
from service.redis import connect
from service.store import Store
from service.store.requests import Outcome
from settings import Queue, Settings

LEVELS = [0, 10_000, 100_000, 1_000_000]
SAMPLES = 300
KNOWN = msgspec.msgpack.encode([bench_stamp.name])


async def measure(store: Store, enqueuer: Enqueuer, waiting: int) -> list[float]:
    """Medians over SAMPLES: microseconds of one enqueue, and of one claim with its outcome."""
    enqueues, claims = [], []
    for _ in range(SAMPLES):
        begun_s = time.perf_counter()
        await enqueuer.enqueue(bench_stamp, Stamp(enqueued_ns=0), owner="bench")
        enqueued_s = time.perf_counter()
        (job,) = (await store.claimed("thumbnails", "bench", 1, 10_000, KNOWN, reap=False)).jobs
        await store.settled([Outcome(job.id, job.queue, job.fence, "completed", fields=["progress", 100])])
        enqueues.append(enqueued_s - begun_s)
        claims.append(time.perf_counter() - enqueued_s)
    return [statistics.median(enqueues) * 1e6, statistics.median(claims) * 1e6]


async def used_bytes(store: Store) -> int:
    return int((await store.redis.info("memory"))["used_memory"])


async def bench(url: str, folder: str, last: int) -> list[list[object]]:
    redis = connect(url)
    store = Store(redis)
    queues = {
        name: bounds.model_copy(update={"owner_limit": 10**9})
        for name, bounds in Settings(data_dir=folder).queues.items()
    }
    enqueuer = Enqueuer(store, queues)
    rows: list[list[object]] = []
    waiting, empty = 0, await used_bytes(store)
    for level in [level for level in LEVELS if level <= last]:
        await enqueuer.enqueue_many(bench_stamp, [Stamp(enqueued_ns=0)] * (level - waiting), owner="bench")
        waiting = level
        each = (await used_bytes(store) - empty) / waiting if waiting else 0.0
        rows.append([f"{waiting:,}", *await measure(store, enqueuer, waiting), each])
    await redis.aclose(close_connection_pool=True)
    return rows


def main() -> None:
    last = int(sys.argv[1]) if len(sys.argv) > 1 else LEVELS[-1]
    with server() as url, tempfile.TemporaryDirectory() as folder:
        rows = asyncio.run(bench(url, folder, last))
    columns = ["jobs waiting", "enqueue µs", "claim and settle µs", "bytes a waiting job"]
    table("scale", "Scale: cost of a job while others wait", columns, rows, ["offload", "redis"])


if __name__ == "__main__":
    assert bench_stamp.queue == Queue.THUMBNAILS
    main()
