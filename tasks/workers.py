"""A worker settings class for each queue of settings/queues.py: `arq tasks.workers.PdfProcessing` and so on.

This is the one file of tasks/ that knows service/, and nothing imports it. A queue that is added there has its worker here:
`Queue.worker_class` names the class, and `__getattr__` makes it.
"""

import asyncio
import contextlib
import functools
from dataclasses import dataclass
from typing import Any

import arq.worker
import structlog

import service.lib.held_collector as collector  # the first: while it is held, imports are cheaper
import tasks.sdk.discovery  # declares every job type
from service.documents.ocr_models import ModelPreparation
from service.engine.pool.cpu_pool import CpuPool
from service.engine.pool.sizing import CHILD_MB, pool_size
from service.engine.redis.client import arq_settings
from service.engine.worker.self_check import SelfCheck
from service.engine.worker.worker import OffloadWorker
from service.lib.sandbox.profiles import checked, rules_of
from service.lib.scratch import scratch_root
from service.monitoring.changes.wiring import report_worker_start
from service.monitoring.logging import configure_logs, log_problems
from service.monitoring.tracing import open_tracing
from service.services import open_services
from settings import Queue, load_settings
from settings.private_files import private_folder
from tasks.ocr.cache_folders import use_data_folder
from tasks.ocr.pages import PREPARE_TIMEOUT_S
from tasks.ocr.self_check import read_sample
from tasks.sdk.arq_cron import cron_jobs

with contextlib.suppress(ImportError):
    # Without it everything works, a little slower.
    import uvloop

    asyncio.set_event_loop_policy(uvloop.EventLoopPolicy())

# The stock command builds its worker from this name at call time: the smallest seam that arq offers.
arq.worker.Worker = OffloadWorker  # type: ignore[misc]  # a class is assigned: arq's command line names this one

collector.release()

settings = load_settings()
# Children and the preparation of networks inherit it.
use_data_folder(settings.data_dir)
private_folder(settings.data_dir)
configure_logs(settings)
log = structlog.get_logger("offload.worker")
log_problems()

FOREVER_S = 30 * 86_400
"""Limit given to arq where a queue has no time limit: it wants a number."""

RECYCLE_TASKS = 500
RECYCLE_PAGES = 300
"""Tasks after which a pool's child is replaced. OCR libraries keep something of every new shape of a page, so its memory
grows, though it stays level from the hundredth page on; a child over three quarters of its ceiling is replaced sooner. A new
child takes some four seconds to load its networks and prepare them for the shapes of lines."""


@dataclass(frozen=True)
class PoolNeeds:
    """The process pool for the CPU work of a queue: at most `children`, None for as many as jobs at once.

    `child_mb` is what a child may come to, where that bounds how many there can be; a worker that `reads_pages` makes
    the networks for it.
    """

    children: int | None = None
    child_mb: int = 0
    reads_pages: bool = False


POOLS = {
    Queue.PDF_PROCESSING: PoolNeeds(child_mb=CHILD_MB, reads_pages=True),
    # One child renders faster than a mail server takes messages.
    Queue.EMAIL_SENDER: PoolNeeds(children=1),
    # The reference machine has two cores; documents beyond them overlap in reading and writing.
    Queue.THUMBNAILS: PoolNeeds(children=2),
    Queue.WEBHOOKS: PoolNeeds(children=1),
}
"""Queues whose pool is not one child for each job at once."""


def starting(queue: Queue, needs: PoolNeeds) -> Any:
    """A start-up hook that opens the services, with a process pool for the queue's CPU work."""
    children, child_mb, reads_pages = (
        needs.children or settings.queues[queue].jobs_at_once,
        needs.child_mb,
        needs.reads_pages,
    )

    async def start(ctx: dict[str, Any]) -> None:
        ctx["stack"] = stack = contextlib.AsyncExitStack()
        size = pool_size(children, child_mb=child_mb) if child_mb else None
        if size:
            log.info("process_pool.sized", size=size.reason)
        memory_mb = settings.queues[queue].memory_mb
        recycle_after = RECYCLE_PAGES if reads_pages else RECYCLE_TASKS
        workers = size.children if size else children
        ctx["sandbox"] = await asyncio.to_thread(checked, settings)
        rules = rules_of(settings, scratch_root(), settings.queues[queue].reach, reads_pages=reads_pages)
        ctx["cpu_pool"] = CpuPool(
            workers,
            memory_mb=memory_mb,
            pool_mb=settings.pool_mb,
            child_mb=child_mb,
            name=str(queue),
            recycle_after=recycle_after,
            niceness=settings.child_nice,
            rules=rules,
        )
        stack.push_async_callback(ctx["cpu_pool"].close)
        services = await stack.enter_async_context(
            open_services(settings, pool=ctx["cpu_pool"], tracing=open_tracing("worker"))
        )
        await report_worker_start(services.changes, settings, str(queue))
        ctx["runtime"] = services.runtime
        ctx["probes"] = {"database": services.database.check, "storage": services.storage.check}
        if reads_pages and settings.ocr_prepare:
            models = settings.data_dir / "models"
            ctx["self_check"] = SelfCheck(read_sample, (models, settings.ocr_engine), PREPARE_TIMEOUT_S)
            preparation = ModelPreparation(models)
            await preparation.start()
            stack.push_async_callback(preparation.stop)

    return start


async def stop(ctx: dict[str, Any]) -> None:
    """Close what `starting` opened."""
    await ctx["stack"].aclose()


@functools.cache
def worker_settings(queue: Queue) -> type[Any]:
    """The class that `arq` is started with for a queue."""
    bounds = settings.queues[queue]
    # arq reads the class's own __dict__, and nothing that it inherits.
    return type(
        queue.worker_class,
        (),
        {
            "__module__": __name__,
            "queue_name": str(queue),
            "functions": tasks.sdk.discovery.functions(queue),
            "max_jobs": bounds.jobs_at_once,
            "job_timeout": bounds.timeout_s or FOREVER_S,
            "cron_jobs": cron_jobs(queue),
            "redis_settings": arq_settings(settings.server_of(queue)),
            "job_completion_wait": settings.grace_s,
            "on_startup": starting(queue, POOLS.get(queue, PoolNeeds())),
            "on_shutdown": stop,
        },
    )


def __getattr__(name: str) -> Any:
    """The settings class of the queue that is served under `name`. Raises AttributeError, as any module does."""
    for queue in Queue:
        if queue.worker_class == name:
            return worker_settings(queue)
    names = ", ".join(queue.worker_class for queue in Queue)
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}: workers are {names}")
