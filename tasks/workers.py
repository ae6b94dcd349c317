"""One worker settings class a queue: `arq tasks.workers.PdfProcessing` and its three sisters. They only wire.

This is the one file of tasks/ that knows service/, and nothing imports it.
"""

import asyncio
import contextlib
import gc
from typing import Any

import arq.worker
import structlog
from arq.connections import RedisSettings

import tasks.sdk.discovery  # declares every job type
from service.documents.ocr_models import ModelPreparation
from service.engine.pool.cpu_pool import CpuPool
from service.engine.pool.sizing import CHILD_MB, pool_size
from service.engine.worker.worker import OffloadWorker
from service.monitoring.logging import configure_logs
from service.monitoring.tracing import open_tracing
from service.services import open_services
from settings import Queue, load_settings
from tasks.sdk.arq_cron import cron_jobs

with contextlib.suppress(ImportError):
    # Without it everything works, a little slower.
    import uvloop

    asyncio.set_event_loop_policy(uvloop.EventLoopPolicy())

# The stock command builds its worker from this name at call time: the smallest seam that arq offers.
arq.worker.Worker = OffloadWorker  # type: ignore[misc]

# What is imported stays: the collector need not look through it again and again, nor once more when the process ends.
gc.freeze()

settings = load_settings()
configure_logs()
log = structlog.get_logger("offload.worker")
redis_settings = RedisSettings.from_dsn(settings.queue_server_url())

FOREVER_S = 30 * 86_400
"""What arq is told where a queue has no time limit: it wants a number."""

RECYCLE_TASKS = 500
RECYCLE_PAGES = 100
"""Tasks after which a pool's child is replaced. OCR libraries keep something of every new shape of a page, so its memory
grows; two seconds of loading in a hundred pages bound that."""


def starting(queue: Queue, children: int, *, child_mb: int = 0, reads_pages: bool = False) -> Any:
    """A start-up hook that opens the services, with a process pool of at most `children` for the queue's CPU work.

    `child_mb` is what a child may come to, where that bounds how many there can be; a worker that `reads_pages` makes
    the networks for it.
    """

    async def start(ctx: dict[str, Any]) -> None:
        ctx["stack"] = stack = contextlib.AsyncExitStack()
        size = pool_size(children, child_mb=child_mb) if child_mb else None
        if size:
            log.info("process pool", size=size.reason)
        memory_mb = settings.queues[queue].memory_mb
        recycle_after = RECYCLE_PAGES if reads_pages else RECYCLE_TASKS
        workers = size.children if size else children
        ctx["cpu_pool"] = CpuPool(workers, memory_mb=memory_mb, name=str(queue), recycle_after=recycle_after)
        stack.push_async_callback(ctx["cpu_pool"].close)
        services = await stack.enter_async_context(
            open_services(settings, pool=ctx["cpu_pool"], tracing=open_tracing("worker"))
        )
        ctx["runtime"] = services.runtime
        ctx["probes"] = {"database": services.database.check, "storage": services.storage.check}
        if reads_pages and settings.ocr_prepare:
            preparation = ModelPreparation(settings.data_dir / "models")
            await preparation.start()
            stack.push_async_callback(preparation.stop)

    return start


async def stop(ctx: dict[str, Any]) -> None:
    """Close what `starting` opened."""
    await ctx["stack"].aclose()


class PdfProcessing:
    queue_name = str(Queue.PDF_PROCESSING)
    functions = tasks.sdk.discovery.functions(Queue.PDF_PROCESSING)
    max_jobs = settings.queues[Queue.PDF_PROCESSING].jobs_at_once
    job_timeout = settings.queues[Queue.PDF_PROCESSING].timeout_s or FOREVER_S
    cron_jobs = cron_jobs(Queue.PDF_PROCESSING)
    redis_settings = redis_settings
    job_completion_wait = settings.grace_s
    on_startup = starting(Queue.PDF_PROCESSING, max_jobs, child_mb=CHILD_MB, reads_pages=True)
    on_shutdown = stop


class EmailSender:
    queue_name = str(Queue.EMAIL_SENDER)
    functions = tasks.sdk.discovery.functions(Queue.EMAIL_SENDER)
    max_jobs = settings.queues[Queue.EMAIL_SENDER].jobs_at_once
    job_timeout = settings.queues[Queue.EMAIL_SENDER].timeout_s or FOREVER_S
    cron_jobs = cron_jobs(Queue.EMAIL_SENDER)
    redis_settings = redis_settings
    job_completion_wait = settings.grace_s
    on_startup = starting(Queue.EMAIL_SENDER, 1)
    on_shutdown = stop


class CsvExport:
    queue_name = str(Queue.CSV_EXPORT)
    functions = tasks.sdk.discovery.functions(Queue.CSV_EXPORT)
    max_jobs = settings.queues[Queue.CSV_EXPORT].jobs_at_once
    job_timeout = settings.queues[Queue.CSV_EXPORT].timeout_s or FOREVER_S
    cron_jobs = cron_jobs(Queue.CSV_EXPORT)
    redis_settings = redis_settings
    job_completion_wait = settings.grace_s
    on_startup = starting(Queue.CSV_EXPORT, max_jobs)
    on_shutdown = stop


class Thumbnails:
    queue_name = str(Queue.THUMBNAILS)
    functions = tasks.sdk.discovery.functions(Queue.THUMBNAILS)
    max_jobs = settings.queues[Queue.THUMBNAILS].jobs_at_once
    job_timeout = settings.queues[Queue.THUMBNAILS].timeout_s or FOREVER_S
    cron_jobs = cron_jobs(Queue.THUMBNAILS)
    redis_settings = redis_settings
    job_completion_wait = settings.grace_s
    on_startup = starting(Queue.THUMBNAILS, 2)
    on_shutdown = stop
