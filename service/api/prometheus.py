"""`/metrics` for Prometheus. It counts, and names no person; see monitoring.py for who reads it.

Labels are queues, states, declared types, rules and schedules: all of them few.
"""

import contextlib
from collections.abc import Collection, Iterable, Iterator, Mapping
from importlib.metadata import version
from typing import Any

from litestar import Request, Response, get
from prometheus_client import CollectorRegistry
from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily, HistogramMetricFamily
from prometheus_client.exposition import choose_encoder
from prometheus_client.metrics_core import Metric
from sqlalchemy.exc import SQLAlchemyError

from service.api.dependencies import ServicesDep
from service.api.monitoring import require_monitoring
from service.database.column_types import utc_now
from service.documents.rescans import scan_states
from service.engine.redis.away import or_else, partial_reads
from service.engine.redis.places import places_of, silent_places
from service.engine.store.counters import EVENTS
from service.lib.clock import now_ms
from service.mail.counters import MAIL_QUEUE
from service.monitoring.metrics.figures import Span
from service.monitoring.metrics.histogram import LAST, upper_ms
from service.services import Services
from service.webhooks import keys as webhook_keys
from settings.queues import Queue

EDGES = range(0, LAST, 6)
"""Buckets at whose ends Prometheus' coarser ones end: a factor of four each, from a millisecond to eighteen hours."""


@get("/metrics", include_in_schema=False, guards=[require_monitoring])
async def metrics(request: Request[Any, Any, Any], services: ServicesDep) -> Response[bytes]:
    """Text, or OpenMetrics for a scraper that asks for it."""
    encode, media_type = choose_encoder(request.headers.get("accept", ""))
    return Response(encode(await families(services)), media_type=media_type)


class FixedRegistry(CollectorRegistry):
    """Families that were collected before, as an encoder wants them."""

    def __init__(self, found: Iterable[Metric]) -> None:
        super().__init__()
        self.found = list(found)

    def collect(self) -> Iterator[Metric]:
        """The families."""
        return iter(self.found)


async def families(services: Services) -> FixedRegistry:
    """Read everything once; of a queue whose own server does not answer nothing but that."""
    away = {queue for place in await silent_places(services.redis) for queue in place.queues}
    with partial_reads():
        spans = {str(queue): await services.metrics.total(queue) for queue in Queue}
        found = [*counters(spans), *histograms(spans)]
        found += [
            *await _queues(services, away),
            *_servers(services, away),
            *await _watching(services),
            *await _webhooks(services),
            *await _external(services),
            *await _server(services),
        ]
    refused = CounterMetricFamily(
        "offload_refused_credentials", "Wrong keys, tickets and passwords.", labels=["kind", "outcome"]
    )
    for labels, number in (await services.failed_attempts.counts()).items():
        refused.add_metric(labels, number)
    found += await _malware(services)
    build = GaugeMetricFamily("offload_build_info", "The running version.", labels=["version"])
    build.add_metric([version("offload")], 1)
    return FixedRegistry([*found, refused, build])


def counters(spans: Mapping[str, Span]) -> list[Metric]:
    """Events since the queue server was first used. Parts of jobs are told apart from jobs."""
    labels = ["queue", "type", "kind"]
    jobs = CounterMetricFamily("offload_jobs", "What happened to jobs, by event.", labels=[*labels, "event"])
    units = CounterMetricFamily("offload_units", "Pages, rows or messages of completed jobs.", labels=labels)
    mail = CounterMetricFamily("offload_mail_messages", "Messages by outcome.", labels=["outcome"])
    pages = CounterMetricFamily("offload_pages", "Pages of completed documents, by result.", labels=["queue", "result"])
    for queue, span in spans.items():
        for event, number in sorted(span.total.counts.items()):
            if event.startswith("page_"):
                pages.add_metric([queue, event.removeprefix("page_")], number)
        for name, figures in sorted(span.types.items()):
            kind = "part" if name in span.part_types else "job"
            for event in EVENTS:
                jobs.add_metric([queue, name, kind, event], figures[event])
            units.add_metric([queue, name, kind], figures["units"])
    for event, number in sorted(spans[MAIL_QUEUE].total.counts.items()):
        if event.startswith("mail_"):
            mail.add_metric([event.removeprefix("mail_")], number)
    return [jobs, units, pages, mail]


def histograms(spans: Mapping[str, Span]) -> list[Metric]:
    """Histograms of waits and runs."""
    labels = ["queue", "type", "kind"]
    waits = HistogramMetricFamily("offload_job_wait_seconds", "From being ready to being started.", labels=labels)
    runs = HistogramMetricFamily("offload_job_run_seconds", "Duration of completed attempts.", labels=labels)
    for queue, span in spans.items():
        for name, figures in sorted(span.types.items()):
            values = [queue, name, "part" if name in span.part_types else "job"]
            waits.add_metric(values, cumulative(figures.waits), figures["wait_ms"] / 1000)
            runs.add_metric(values, cumulative(figures.runs), figures["run_ms"] / 1000)
    return [waits, runs]


def cumulative(counts: Mapping[int, int]) -> list[tuple[str, float]]:
    """Buckets as Prometheus wants them: how many were at most so many seconds."""
    edges = [
        (f"{upper_ms(edge) / 1000:g}", float(sum(number for bucket, number in counts.items() if bucket <= edge)))
        for edge in EDGES
    ]
    return [*edges, ("+Inf", float(sum(counts.values())))]


def _servers(services: Services, away: Collection[str]) -> list[Metric]:
    answers = GaugeMetricFamily("offload_queue_server_up", "1 while a queue's own server answers.", labels=["queue"])
    for queue in (queue for place in places_of(services.redis).all[1:] for queue in place.queues):
        answers.add_metric([queue], float(queue not in away))
    return [answers] if answers.samples else []


async def _queues(services: Services, away: Collection[str]) -> list[Metric]:
    store, at_ms = services.store, now_ms()
    jobs = GaugeMetricFamily(
        "offload_queue_jobs", "Jobs by state now; parts are not counted.", labels=["queue", "state"]
    )
    backlog = GaugeMetricFamily("offload_backlog_seconds", "Expected work that waits.", labels=["queue"])
    paused = GaugeMetricFamily("offload_queue_paused", "1 while the queue is paused.", labels=["queue"])
    workers = GaugeMetricFamily("offload_workers", "Workers that reported lately.", labels=["queue", "state"])
    slots = GaugeMetricFamily("offload_worker_slots", "Jobs that live workers take at once.", labels=["queue"])
    rss = GaugeMetricFamily(
        "offload_worker_resident_bytes", "Memory of live workers and their pools.", labels=["queue"]
    )
    backlog_ms, found = await store.backlog_ms(), await store.workers()
    for queue, states in (await store.counts()).items():
        if queue in away:
            continue
        for state, number in states.items():
            jobs.add_metric([queue, str(state)], number)
        backlog.add_metric([queue], backlog_ms[queue] / 1000)
        paused.add_metric([queue], float("pause" in await store.controls.holds(queue)))
        mine = [worker for worker in found if worker.queue == queue]
        alive = [worker for worker in mine if worker.alive(at_ms)]
        workers.add_metric([queue, "alive"], len(alive))
        workers.add_metric([queue, "silent"], len(mine) - len(alive))
        slots.add_metric([queue], sum(worker.serving_slots for worker in alive))
        rss.add_metric([queue], sum(worker.rss_bytes for worker in alive))
    return [jobs, backlog, paused, workers, slots, rss]


async def _malware(services: Services) -> list[Metric]:
    scans = CounterMetricFamily("offload_malware_scans", "Malware scans by outcome.", labels=["outcome"])
    for outcome, number in sorted((await services.scans.counts()).items()):
        scans.add_metric([outcome], number)
    documents = GaugeMetricFamily(
        "offload_scanned_documents", "Documents in quarantine, held, or used without a scan.", labels=["state"]
    )
    with contextlib.suppress(SQLAlchemyError, OSError):
        for state, number in (await scan_states(services.database)).items():
            documents.add_metric([state], number)
    return [scans, documents]


async def _watching(services: Services) -> list[Metric]:
    firing = GaugeMetricFamily("offload_alerts_firing", "Subjects that a rule fires for.", labels=["rule", "severity"])
    for state in await services.alerts.rules():
        number = sum(alert.state == "firing" for alert in state.statuses)
        firing.add_metric([state.rule.name, str(state.rule.severity)], number)
    waiting = GaugeMetricFamily("offload_outbox_messages", "Alerts that could not be sent yet.", labels=["receiver"])
    for channel in await services.alerts.outbox.channels():
        waiting.add_metric([channel.name], channel.waiting)
    upcoming = GaugeMetricFamily("offload_schedule_next_seconds", "When a schedule runs next.", labels=["schedule"])
    missed = GaugeMetricFamily(
        "offload_schedule_missed_slots", "Missed since its last completed run.", labels=["schedule"]
    )
    for schedule in await services.schedules.list():
        if schedule.schedule.owner:
            # A label for each of some thousands would outgrow the rest.
            continue
        if schedule.next_ms is not None:
            upcoming.add_metric([schedule.name], schedule.next_ms / 1000)
        missed.add_metric([schedule.name], schedule.missed)
    return [firing, waiting, upcoming, missed]


async def _webhooks(services: Services) -> list[Metric]:
    tries = CounterMetricFamily("offload_webhook_tries", "Tries of deliveries by outcome.", labels=["outcome"])
    pipe = services.redis.pipeline(transaction=False)
    pipe.hgetall(webhook_keys.OUTCOMES)
    (counts,) = await pipe.execute()
    ends = sum([await or_else(place.client.llen(webhook_keys.ENDED), 0) for place in places_of(services.redis).all])
    for outcome in ("delivered", "later", "failed"):
        tries.add_metric([outcome], int(counts.get(outcome.encode(), 0)))
    ends_waiting = GaugeMetricFamily("offload_webhook_ends_waiting", "Ends of jobs without deliveries yet.", ends)
    try:
        now = await services.webhooks.rows.counts()
    except (SQLAlchemyError, OSError):
        # What the queue server tells is told while the database is away.
        return [tries, ends_waiting]
    pending = GaugeMetricFamily("offload_webhook_pending", "Deliveries that wait for their next try.", now.pending)
    age_s = (utc_now() - now.oldest).total_seconds() if now.oldest else 0.0
    oldest = GaugeMetricFamily("offload_webhook_oldest_pending_seconds", "Age of the oldest of them.", max(0.0, age_s))
    webhooks = GaugeMetricFamily("offload_webhooks", "Webhooks of all owners, by state.", labels=["state"])
    webhooks.add_metric(["enabled"], now.webhooks - now.disabled)
    webhooks.add_metric(["disabled"], now.disabled)
    return [tries, ends_waiting, pending, oldest, webhooks]


async def _external(services: Services) -> list[Metric]:
    paused = GaugeMetricFamily("offload_service_paused", "1 while an external service is paused.", labels=["service"])
    active = GaugeMetricFamily("offload_service_uses", "Uses of an external service now.", labels=["service", "state"])
    for use in await services.runtime.gate.list():
        paused.add_metric([use.name], float(use.pause is not None))
        active.add_metric([use.name, "active"], use.under_way)
        active.add_metric([use.name, "waiting"], use.waiting)
    return [paused, active]


async def _server(services: Services) -> list[Metric]:
    info = await services.redis.info("memory")
    used = GaugeMetricFamily(
        "offload_redis_memory_bytes", "Memory that the queue server uses.", int(info["used_memory"])
    )
    most = GaugeMetricFamily(
        "offload_redis_memory_max_bytes", "Memory that it may use; 0 means no bound.", int(info.get("maxmemory", 0))
    )
    return [used, most]
