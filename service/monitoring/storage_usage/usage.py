"""`footprint`: everything the page about storage shows."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from sqlalchemy import func, select

from service.database import Database, Document
from service.documents.thumbnails.store import content_folder
from service.engine.redis.away import or_else
from service.engine.store import Store
from service.engine.store.memory_usage import SHARED_KEYS, Memory, metrics_bytes, queue_memory, weighed
from service.lib.clock import now_ms
from service.lib.storage.object_storage import NoSuchObject, Storage
from service.monitoring.alerts import keys
from service.monitoring.storage_usage.redis_server import ServerState, server_state
from settings.queues import Queue, QueueSettings

DAY_MS = 86_400_000
BIGGEST = 10
SAMPLED_DOCUMENTS = 8
"""Documents of which the thumbnails are looked at, the newest."""


@dataclass(slots=True, frozen=True)
class QueueUsage:
    """One queue: its bytes by kind, its retention, and how many jobs a day less of that frees at once."""

    name: str
    memory: Memory
    metrics: float
    keep_days: float
    keep_jobs: int
    ended: int
    less_jobs: int

    @property
    def total(self) -> float:
        """Bytes in Redis."""
        return self.memory.records + self.memory.logs + self.memory.indexes + self.metrics

    @property
    def less_memory(self) -> float:
        """Bytes in Redis of those `less_jobs`."""
        return self.less_jobs * self.memory.ended_bytes

    @property
    def less_storage(self) -> float:
        """Bytes in the storage of those `less_jobs`."""
        return self.less_jobs * self.memory.ended_artefacts


@dataclass(slots=True, frozen=True)
class StoredKind:
    """One kind of files. `exact` where the database knows, else it is a sample times a number of jobs."""

    name: str
    files: int
    bytes: float
    exact: bool


@dataclass(slots=True, frozen=True)
class Footprint:
    """At `at_ms`. `biggest` are the largest of the keys that were weighed whole: queues, their indexes and what they share."""

    at_ms: int
    server: ServerState
    queues: Sequence[QueueUsage]
    stored: Sequence[StoredKind]
    biggest: Sequence[tuple[str, int]]


async def footprint(
    store: Store, storage: Storage, database: Database, bounds: Mapping[Queue, QueueSettings]
) -> Footprint:
    """Weigh everything: some hundred keys and documents, however many there are."""
    at_ms = now_ms()
    queues = [await _usage_of(store, queue, bounds[queue], at_ms) for queue in Queue]
    shared = await weighed(store.redis, [*SHARED_KEYS, keys.ALERTS, keys.ALERT_HISTORY])
    everything = [pair for one in queues for pair in one.memory.keys.items()] + list(shared.items())
    return Footprint(
        at_ms=at_ms,
        server=await server_state(store.redis),
        queues=queues,
        stored=await _stored(storage, database, queues),
        biggest=sorted(everything, key=lambda pair: -pair[1])[:BIGGEST],
    )


async def _usage_of(store: Store, queue: Queue, bounds: QueueSettings, at_ms: int) -> QueueUsage:
    memory = await or_else(queue_memory(store.of_queue(queue), str(queue)), Memory())
    # A queue that keeps jobs for less than two days would keep none at all for a day less: half is what can be spared.
    spared_days = min(1.0, bounds.keep_days / 2)
    before_ms = at_ms - int((bounds.keep_days - spared_days) * DAY_MS)
    return QueueUsage(
        name=str(queue),
        memory=memory,
        metrics=await or_else(metrics_bytes(store.redis, str(queue), at_ms // 60_000), 0.0),
        keep_days=bounds.keep_days,
        keep_jobs=bounds.keep_jobs,
        ended=await store.retention.ended(str(queue)),
        less_jobs=await store.retention.ended(str(queue), before_ms),
    )


async def _stored(storage: Storage, database: Database, queues: Sequence[QueueUsage]) -> list[StoredKind]:
    async with database.reading() as session:
        totals = select(
            func.count(), func.coalesce(func.sum(Document.bytes), 0), func.count(Document.sha256.distinct())
        )
        documents, uploaded, contents = (await session.execute(totals)).one()
        newest = select(Document.sha256).order_by(Document.created_at.desc()).limit(SAMPLED_DOCUMENTS)
        hashes = list(dict.fromkeys(await session.scalars(newest)))
    pictures = [await _pictures(storage, sha256) for sha256 in hashes]
    share = contents / len(hashes) if hashes else 0.0
    made = [
        StoredKind(
            f"Made by {one.name}",
            one.memory.jobs,
            one.memory.artefacts,
            exact=False,
        )
        for one in queues
    ]
    return [
        StoredKind("Uploads", documents, float(uploaded), exact=True),
        StoredKind(
            "Thumbnails",
            round(sum(n for n, _ in pictures) * share),
            sum(size for _, size in pictures) * share,
            exact=False,
        ),
        *(one for one in made if one.bytes),
    ]


async def _pictures(storage: Storage, sha256: str) -> tuple[int, int]:
    """Number and bytes of the files made of one content."""
    count = total = 0
    for path in await storage.list(content_folder(sha256)):
        try:
            total += await storage.size(path)
            count += 1
        except NoSuchObject:
            continue
    return count, total
