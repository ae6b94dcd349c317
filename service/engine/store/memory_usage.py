"""Memory of a queue's jobs in Redis: MEMORY USAGE of a few random jobs of each task and state, times their number."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field

from service.engine.redis.client import Client
from service.engine.redis.places import of_queue
from service.engine.states import TERMINAL, State
from service.engine.store import keys
from service.engine.store.queries import Queries
from service.engine.store.scripts import KEEP_MINUTES

SHARED_KEYS = (keys.ERRORS, keys.BIN, keys.OPERATIONS, keys.WORKERS)
"""Keys of no one queue that may grow."""

SAMPLES = 8
"""Jobs of each task and state that are weighed."""

SAMPLED_MINUTES = 24
"""Minutes whose counts are weighed."""

NESTED = 5
"""Entries of one sorted set that the server weighs for us (its own default)."""

PARTS_OF_A_JOB: Mapping[str, Sequence[Callable[[str], str]]] = {
    "records": (keys.job, keys.arq_job, keys.checkpoint, keys.parts),
    "logs": (keys.attempts, keys.log),
}
"""Kinds of memory, and the keys of one job that are of it."""


@dataclass(slots=True)
class Memory:
    """Estimated bytes of one queue. `ended_*` are means of one completed or cancelled job, with its share of the indexes."""

    jobs: int = 0
    records: float = 0.0
    logs: float = 0.0
    indexes: int = 0
    artefacts: float = 0.0
    ended_jobs: int = 0
    ended_bytes: float = 0.0
    ended_artefacts: float = 0.0
    keys: dict[str, int] = field(default_factory=dict)
    """Bytes of each key that was weighed as a whole."""


async def queue_memory(queries: Queries, queue: str) -> Memory:
    """Weighs one queue."""
    redis, memory = queries.redis, Memory()
    counts = await queries.counts_of(queue)
    filled = {keys.by_type(name, state): count for (name, state), count in counts.items() if count}
    for index, count in filled.items():
        state = State(index.rpartition(":")[2])
        await _add_jobs(queries, memory, index, count, ended=state in TERMINAL and state is not State.FAILED)
    whole = [*filled, queue, keys.finished(queue), keys.fair(queue), keys.running(queue), keys.queue(queue)]
    memory.keys = await weighed(redis, whole)
    by_type = sum(size for key, size in memory.keys.items() if key in filled)
    # Every job stands in its owner's index as it does in its task's: the owners themselves are not listed.
    memory.indexes = sum(memory.keys.values()) + by_type
    if memory.ended_jobs:
        memory.ended_bytes = memory.ended_bytes / memory.ended_jobs + memory.indexes / memory.jobs
        memory.ended_artefacts /= memory.ended_jobs
    return memory


async def _add_jobs(queries: Queries, memory: Memory, index: str, count: int, *, ended: bool) -> None:
    """The jobs of one task and state, by a few of them. Until all are added, `ended_*` are sums."""
    redis = queries.redis
    ids = [i.decode() for i in await redis.zrandmember(index, SAMPLES)]
    if not ids:
        # Counted some seconds ago, and gone since.
        return
    sampled = dict.fromkeys(PARTS_OF_A_JOB, 0.0)
    for kind, names in PARTS_OF_A_JOB.items():
        sizes = await weighed(redis, [name(job_id) for job_id in ids for name in names])
        sampled[kind] = sum(sizes.values()) / len(ids)
    jobs = [job for job in await queries.get_many(ids) if job]
    artefacts = sum(int(one.get("bytes", 0)) for job in jobs for one in job.artefacts) / max(1, len(jobs))
    memory.jobs += count
    memory.records += sampled["records"] * count
    memory.logs += sampled["logs"] * count
    memory.artefacts += artefacts * count
    if ended:
        memory.ended_jobs += count
        memory.ended_bytes += sum(sampled.values()) * count
        memory.ended_artefacts += artefacts * count


async def weighed(redis: Client, names: Sequence[str]) -> dict[str, int]:
    """Bytes of those keys that exist."""
    pipe = redis.pipeline(transaction=False)
    for name in names:
        pipe.memory_usage(name, samples=NESTED)
    return {name: int(size) for name, size in zip(names, await pipe.execute(), strict=True) if size}


async def metrics_bytes(redis: Client, queue: str, minute: int) -> float:
    """Estimated bytes of a queue's counts of all minutes kept up to `minute`, by a few of them, evenly spread."""
    redis = of_queue(redis, queue)
    sampled = range(minute, minute - KEEP_MINUTES, -KEEP_MINUTES // SAMPLED_MINUTES)
    sizes = await weighed(redis, [keys.metrics(queue, one) for one in sampled])
    return sum(sizes.values()) / SAMPLED_MINUTES * KEEP_MINUTES
