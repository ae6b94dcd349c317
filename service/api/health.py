"""Liveness, readiness and the workers. Probes need no key; what tells hosts and counts is kept from strangers."""

from typing import Annotated, Any

from litestar import Response, get
from litestar.params import FromQuery, QueryParameter

from service.api.dependencies import ServicesDep
from service.api.errors import BadRequest
from service.api.monitoring import require_monitoring
from service.api.openapi import refusals, unavailable
from service.api.schemas import FieldError, Health, WantedBody, WorkerBody, WorkersHealth
from service.engine.job_status import rfc3339
from service.engine.left_behind import left_behind
from service.engine.redis.away import partial_reads
from service.engine.redis.places import silent_places
from service.engine.scaling import wanted
from service.engine.states import State
from service.engine.store import WorkerInfo
from service.lib.clock import now_ms
from service.lib.text import as_sentence
from service.monitoring.readiness import OK
from settings.queues import Queue

MONITORED: dict[str, Any] = {"guards": [require_monitoring], "security": [{}, {"ApiKey": []}]}
"""Options of a route that tells hosts and counts."""


@get("/health/live", summary="Is the process alive?", security=[])
async def live() -> Health:
    return Health(status="ok", checks={})


@get("/health/ready", summary="Can it serve?", security=[], responses=unavailable(Health))
async def ready(services: ServicesDep) -> Response[Health]:
    """200, or 503 naming the parts that do not answer."""
    checks = await services.readiness.checks()
    fine = all(answer == OK for answer in checks.values())
    return Response(Health(status="ok" if fine else "unavailable", checks=checks), status_code=200 if fine else 503)


@get(
    "/workers/health",
    summary="The workers, and whether every queue is served",
    **MONITORED,
    responses={**refusals(), **unavailable(WorkersHealth)},
)
async def workers(services: ServicesDep) -> Response[WorkersHealth]:
    """503 where no worker is alive at all, where jobs wait in a queue that has none, or where no worker of a queue can do
    its work.

    `degraded`, with 200, where a worker has fallen silent, is quiet or has a fault, or a queue has no worker and no jobs
    yet, or a queue's own server does not answer, or jobs of a queue that has moved wait on another server.
    """
    away, left = await silent_places(services.redis), await left_behind(services.redis)
    with partial_reads():
        found, counts = await services.store.workers(), await services.store.counts()
    # Nothing is known of their workers.
    counts = {queue: states for queue, states in counts.items() if not any(queue in place.queues for place in away)}
    at_ms = now_ms()
    rows = [worker_body(worker, at_ms) for worker in found]
    served = {worker.queue for worker in found if worker.alive(at_ms)}
    deserted = [queue for queue, states in counts.items() if states[State.QUEUED] and queue not in served]
    silent = [worker.id for worker in found if not worker.alive(at_ms)]
    quiet = [worker.id for worker in found if worker.quiet and worker.id not in silent]
    faulty = [worker for worker in found if worker.fault and worker.id not in silent]
    able = {worker.queue for worker in found if worker.alive(at_ms) and not worker.fault}
    disabled = sorted({worker.queue for worker in faulty} - able)
    unserved = [queue for queue in counts if queue not in served]
    status, detail = "ok", "Every queue has a worker."
    if not served:
        status, detail = "unavailable", "No worker is alive."
    elif deserted:
        status, detail = "unavailable", f"Jobs wait and no worker is alive for {', '.join(deserted)}."
    elif disabled:
        status, detail = "unavailable", f"No worker can do the work of {', '.join(disabled)}: {faulty[0].fault}"
    elif left or away or silent or unserved or quiet or faulty:
        reasons = [as_sentence(f"{place.server} does not answer") for place in away]
        reasons += [as_sentence(one.sentence) for one in left]
        reasons += [f"No worker is alive for {', '.join(unserved)}."] if unserved else []
        reasons += [f"Silent: {', '.join(silent)}."] if silent else []
        reasons += [f"Quiet, at an operator's request: {', '.join(quiet)}."] if quiet else []
        reasons += [f"Cannot do its work: {worker.id}. {worker.fault}" for worker in faulty]
        status, detail = "degraded", " ".join(reasons)
    body = WorkersHealth(status=status, detail=detail, workers=rows)
    return Response(body, status_code=503 if status == "unavailable" else 200)


def worker_body(worker: WorkerInfo, at_ms: int) -> WorkerBody:
    return WorkerBody(
        id=worker.id,
        queue=worker.queue,
        host=worker.host,
        pid=worker.pid,
        pool_pids=worker.pool_pids,
        version=worker.version,
        started_at=rfc3339(worker.started_at_ms) or "",
        heartbeat_age_seconds=round(max(0, at_ms - worker.heartbeat_ms) / 1000, 3),
        active=worker.active,
        processed=worker.processed,
        failed=worker.failed,
        rss_bytes=worker.rss_bytes,
        fault=worker.fault,
        sandbox=worker.sandbox,
        sandbox_detail=worker.sandbox_detail,
    )


@get(
    "/workers/wanted",
    summary="How many workers a queue's present work asks for",
    **MONITORED,
    responses=refusals(400),
)
async def wanted_workers(
    services: ServicesDep,
    queue: FromQuery[str],
    within_s: Annotated[float, QueryParameter(ge=1, le=86_400)] = 60,
) -> WantedBody:
    """For autoscalers: `wanted` workers would finish what waits within `within_s` seconds, and none of the running jobs
    has to be returned; 0 where nothing waits or runs. `backlog_seconds` is the work that waits, for a single slot;
    `slots` is the number of jobs that the live workers run at once.
    """
    if queue not in list(Queue):
        raise BadRequest(FieldError("queue", f"queue must be one of {', '.join(Queue)}."))
    found = await wanted(services.store, queue, services.settings.queues[Queue(queue)].jobs_at_once, within_s)
    return WantedBody(queue=queue, wanted=found.workers, backlog_seconds=found.backlog_s, slots=found.slots)


handlers = [live, ready, workers, wanted_workers]
