"""What a job costs while others wait: enqueue and claim with 0 to 1,000,000 waiting jobs, and bytes a job on the server.

The processor time that the server used is shown with the time that the client sees. The last row is of jobs that have
run once and are kept.
"""

import argparse
import asyncio
import statistics
import tempfile
import time

import msgspec

from bench.harness.contenders import CONTENDERS
from bench.harness.queue_server import server
from bench.harness.report import table
from bench.peers.ours_jobs import Stamp, bench_stamp
from service.engine.enqueuer import Enqueuer
from service.engine.redis.client import connect
from service.engine.store import Store
from service.engine.store.records import Job
from service.engine.store.script_inputs import Claim, Outcome
from service.engine.worker.failures import attempt_entry
from settings import Queue, Settings

LEVELS = [0, 10_000, 100_000, 1_000_000]
SAMPLES = 300
COMPLETED = 10_000
BATCH = 100
LEASE_MS = 10_000
KNOWN = msgspec.msgpack.encode([bench_stamp.name])


async def measure(store: Store, enqueuer: Enqueuer) -> list[float]:
    """Medians over SAMPLES: µs of one enqueue, of one claim with its outcome; and the server's µs for both, on average."""
    enqueues, claims, before_us = [], [], await server_us(store)
    for _ in range(SAMPLES):
        begun_s = time.perf_counter()
        await enqueuer.enqueue(bench_stamp, Stamp(enqueued_ns=0), owner="bench")
        enqueued_s = time.perf_counter()
        await run_some(store, 1)
        enqueues.append(enqueued_s - begun_s)
        claims.append(time.perf_counter() - enqueued_s)
    used_us = (await server_us(store) - before_us) / SAMPLES
    return [statistics.median(enqueues) * 1e6, statistics.median(claims) * 1e6, used_us]


async def run_some(store: Store, want: int) -> int:
    """Claim up to `want` jobs and complete them, as a worker would. Answers how many there were."""
    jobs = (await store.claimed(Claim(Queue.THUMBNAILS, "bench", want, LEASE_MS, KNOWN))).jobs
    await store.settled([completed(job) for job in jobs])
    return len(jobs)


def completed(job: Job) -> Outcome:
    """A completion with all that a worker writes of it."""
    fields = ["progress", 100, "message", "Done", "error", "", "artefacts", "[]"]
    entry = attempt_entry(job, "completed")
    return Outcome(job.id, job.queue, job.fence, "completed", fields=fields, attempt=entry, run_ms=1, result="null")


async def server_us(store: Store) -> float:
    """Microseconds of processor time that the server has used: scripts, and reading and writing what travels."""
    used = await store.redis.info("cpu")
    return 1e6 * float(used["used_cpu_user"] + used["used_cpu_sys"])


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
    # The first jobs load the scripts and make what there is once, such as counters.
    await measure(store, enqueuer)
    per_job = await completed_bytes(store, enqueuer)
    rows: list[list[object]] = []
    waiting, empty = 0, await used_bytes(store)
    for level in [level for level in LEVELS if level <= last]:
        await enqueuer.enqueue_many(bench_stamp, [Stamp(enqueued_ns=0)] * (level - waiting), owner="bench")
        waiting = level
        each = (await used_bytes(store) - empty) / waiting if waiting else "–"
        rows.append([f"{waiting:,}", *await measure(store, enqueuer), each])
    await redis.aclose(close_connection_pool=True)
    return [*rows, [f"{COMPLETED:,} completed and kept", "–", "–", "–", per_job]]


async def completed_bytes(store: Store, enqueuer: Enqueuer) -> float:
    """Bytes that one completed job leaves behind."""
    before = await used_bytes(store)
    await enqueuer.enqueue_many(bench_stamp, [Stamp(enqueued_ns=0)] * COMPLETED, owner="bench")
    while await run_some(store, BATCH):
        pass
    return (await used_bytes(store) - before) / COMPLETED


def main() -> None:
    arguments = argparse.ArgumentParser(description=__doc__)
    arguments.add_argument("last", type=int, nargs="?", default=LEVELS[-1], help="where to stop, such as 100000")
    options = arguments.parse_args()
    with server() as url, tempfile.TemporaryDirectory() as folder:
        rows = asyncio.run(bench(url, folder, options.last))
    columns = ["jobs waiting", "enqueue µs", "claim and settle µs", "server µs for both", "bytes a job"]
    ours = [c for c in CONTENDERS if c.key == "offload"]
    table(
        "scale",
        "Scale: cost of a job while others wait",
        columns,
        rows,
        ours,
        samples=SAMPLES,
        kept=COMPLETED,
    )


if __name__ == "__main__":
    main()
