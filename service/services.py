"""What both roots are wired from: the open connections and the parts that use them."""

import asyncio
import contextlib
from collections.abc import AsyncIterator
from dataclasses import dataclass

from arq.connections import ArqRedis

from service.caretaker import Caretaker
from service.database.connection import Database, open_database
from service.enqueue import Enqueuer
from service.exports import Records
from service.files.store import FileStore
from service.images.records import ImageRecords
from service.jobs import Jobs
from service.mail.ports import open_mail
from service.pool import CpuPool
from service.redis import connect
from service.storage import Storage
from service.store import Store
from service.thumbnails.store import ThumbnailStore
from service.thumbnails.upkeep import Upkeep
from settings import Settings
from tasks.ports.exports import Exports
from tasks.ports.images import Images
from tasks.ports.thumbnails import Thumbnails, ThumbnailUpkeep


@dataclass(slots=True)
class Services:
    """Open for the life of a process."""

    settings: Settings
    redis: ArqRedis
    store: Store
    enqueuer: Enqueuer
    jobs: Jobs
    database: Database
    storage: Storage
    files: FileStore
    pool: CpuPool
    ports: dict[type, object]
    """What `run.use(protocol)` answers, by protocol."""


@contextlib.asynccontextmanager
async def open_services(settings: Settings, *, pool: CpuPool | None = None) -> AsyncIterator[Services]:
    """Connect everything; close it in the opposite order. `pool` defaults to one child, started when first needed."""
    async with contextlib.AsyncExitStack() as stack:
        redis = connect(settings.queue_server_url())
        stack.push_async_callback(redis.aclose, close_connection_pool=True)
        store = Store(redis)
        stack.push_async_callback(store.watchers.close)
        database = await stack.enter_async_context(open_database(settings.database_url))
        storage = Storage(settings.storage_url)
        pool = pool or CpuPool(1, memory_mb=1024, name="inspection")
        stack.push_async_callback(pool.close)
        files = FileStore(database, storage, settings, pool)
        jobs = Jobs(store, storage)
        mail_ports = await stack.enter_async_context(open_mail(settings, database, redis))
        await stack.enter_async_context(caretaking(Caretaker(settings, store, jobs)))
        yield Services(
            settings=settings,
            redis=redis,
            store=store,
            enqueuer=Enqueuer(store, settings.queues),
            jobs=jobs,
            database=database,
            storage=storage,
            files=files,
            pool=pool,
            ports=offered_ports(database, store, storage) | mail_ports,
        )


def offered_ports(database: Database, store: Store, storage: Storage) -> dict[type, object]:
    """The implementations of tasks/ports/, each under its protocol."""
    return {
        Exports: Records(database, store),
        Images: ImageRecords(database, storage),
        Thumbnails: ThumbnailStore(storage),
        ThumbnailUpkeep: Upkeep(storage, database),
    }


@contextlib.asynccontextmanager
async def caretaking(caretaker: Caretaker) -> AsyncIterator[None]:
    """Within the block this process stands for election."""
    task = asyncio.create_task(caretaker.run_forever())
    try:
        yield
    finally:
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)
        await caretaker.resign()
