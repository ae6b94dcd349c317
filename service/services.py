"""`Services`, from which both roots are wired: the open connections and the parts that use them."""

import asyncio
import contextlib
from collections.abc import AsyncIterator, Sequence
from dataclasses import dataclass
from typing import Any

import structlog
from arq.connections import ArqRedis

from service.access.failed_attempts import FailedAttempts
from service.access.personal import is_personal
from service.access.sessions import Sessions
from service.access.users import Users
from service.database.api_keys import ApiKeys
from service.database.connection import Database
from service.database.owners import Owners
from service.database.start import opened_database
from service.documents.corrections.correcting import Correcting
from service.documents.corrections.wiring import correction_parts
from service.documents.malware import AGAIN_S, Scanner
from service.documents.presigned import PresignedUploads
from service.documents.rescans import Rescans
from service.documents.resumable import ResumableUploads
from service.documents.scan_record import ScanRecord
from service.documents.store import DocumentStore
from service.engine.enqueuer import Enqueuer
from service.engine.job_files import JobFiles
from service.engine.left_behind import warn_of_left_behind
from service.engine.maintenance import Duty, maintaining, maintenance_of
from service.engine.payload_files import PayloadFiles
from service.engine.pool.cpu_pool import CpuPool
from service.engine.redis.client import Client
from service.engine.redis.command_connection import CommandConnection
from service.engine.redis.places import Place, open_places, places_of
from service.engine.runtime import Runtime
from service.engine.schedules import Schedules
from service.engine.store import Store
from service.engine.store.encryption_keys import see_keys
from service.engine.store.placed import open_store
from service.engine.store.usage_counts import UsageCounts
from service.engine.tracing import NO_TRACING
from service.erasure.jobs import job_files
from service.lib.async_tasks import end
from service.lib.encryption import keyring_of
from service.lib.sandbox.profiles import checked, rules_of
from service.lib.scratch import remove_abandoned, scratch_root
from service.lib.sentences.port import Translated
from service.lib.storage.object_storage import Storage
from service.lib.tickets import CORRECTIONS, Tickets
from service.mail.operator_mail import OperatorMail
from service.mail.server_status import ServerStatus
from service.mail.wiring import mail_limiter, open_mail
from service.monitoring.alerts import Alerts
from service.monitoring.audit_log import Audit
from service.monitoring.changes import Changes
from service.monitoring.changes.wiring import change_duties
from service.monitoring.fairness import Fairness
from service.monitoring.fairness.trial import Trials
from service.monitoring.metering import Metering
from service.monitoring.metrics import Metrics
from service.monitoring.owner_alerts import OwnerAlerts
from service.monitoring.owner_alerts.wiring import owner_alert_duties, owner_alerts
from service.monitoring.owner_usage import OwnerUsage
from service.monitoring.quarantine_log import QuarantineLog
from service.monitoring.readiness import Readiness
from service.monitoring.storage_usage.redis_settings import warn_of_settings
from service.monitoring.tracing import ExportedTracing
from service.monitoring.weekly_report import ReportFigures
from service.monitoring.wiring import watch_duties
from service.offered_ports import offered_ports, packages_ports
from service.webhooks.wiring import WebhookParts, webhook_duties, webhook_parts
from settings import Settings
from tasks.ports.corrections import Corrections
from tasks.ports.files import Files
from tasks.ports.owner_alerts import OwnerAlertMails
from tasks.ports.reports import Operators, Reports
from tasks.ports.sentences import Sentences
from tasks.ports.webhooks import Webhooks

log = structlog.get_logger("offload")


@dataclass(slots=True)
class Services:
    """Open for the life of a process."""

    settings: Settings
    redis: ArqRedis
    store: Store
    enqueuer: Enqueuer
    jobs: JobFiles
    database: Database
    storage: Storage
    files: DocumentStore
    scans: ScanRecord
    uploads: ResumableUploads
    presigned: PresignedUploads
    corrections: Correcting
    pool: CpuPool
    metrics: Metrics
    schedules: Schedules
    alerts: Alerts
    audit: Audit
    changes: Changes
    api_keys: ApiKeys
    owners: Owners
    owner_usage: OwnerUsage
    owner_alerts: OwnerAlerts
    metering: Metering
    fairness: Fairness
    trials: Trials
    failed_attempts: FailedAttempts
    users: Users
    sessions: Sessions
    oidc: Any
    """The identity provider (`Oidc`), or None. Its class is not named here: requests resolve these annotations, and only where a
    provider is set are its libraries loaded."""
    tickets: Tickets
    correction_links: Tickets
    webhooks: WebhookParts
    readiness: Readiness
    runtime: Runtime
    """The parts of these that running a job takes."""


@contextlib.asynccontextmanager
async def open_services(
    settings: Settings, *, pool: CpuPool | None = None, tracing: ExportedTracing | None = None
) -> AsyncIterator[Services]:
    """Connect everything; close it in the opposite order. `pool` defaults to one child, started when first needed."""
    async with contextlib.AsyncExitStack() as stack:
        if tracing:
            stack.push_async_callback(tracing.close)
        # Plain copies of encrypted files lie there.
        await asyncio.to_thread(remove_abandoned)
        redis = await stack.enter_async_context(open_places(settings))
        await see_keys(redis, settings.encryption_keys)
        store = open_store(redis)
        stack.push_async_callback(store.aclose)
        database = await stack.enter_async_context(opened_database(settings.database_url))
        audit = Audit(database)
        stack.push_async_callback(audit.close)
        failed_attempts = FailedAttempts(redis, audit, settings.link_key, settings.failed_credentials_per_minute)
        stack.push_async_callback(failed_attempts.close)
        sessions = Sessions(database, settings.session_idle)
        stack.push_async_callback(sessions.close)
        api_keys = ApiKeys(database)
        stack.push_async_callback(api_keys.close)
        storage = Storage(settings.storage_url, keyring_of(settings.encryption_keys))
        pool = pool or await inspection_pool(settings)
        stack.push_async_callback(pool.close)
        owners = Owners(database, settings)
        scans = ScanRecord(redis)
        scanner, quarantined = Scanner(settings, scans), QuarantineLog(audit, scans).write
        files = DocumentStore(database, storage, settings, pool, owners, scanner, quarantined)
        uploads = ResumableUploads(database, storage, settings, files)
        jobs = job_files(store, storage, database)

        # Enqueuers make one call at a time: over a connection of their own none has to look for a free one. Probes have
        # one too: however many wait for a connection, an orchestrator learns that all is well.
        def connection(place: Place) -> CommandConnection:
            made = CommandConnection(place.url or settings.queue_server_url(), place.server)
            stack.push_async_callback(made.aclose)
            return made

        places = places_of(redis).all
        probe = connection(places[0])
        enqueuer = Enqueuer(
            open_store(redis, connection, replicas=settings.enqueue_wait),
            settings.queues,
            tracing or NO_TRACING,
            owners.limits,
            PayloadFiles(storage),
        )
        corrections = correction_parts(database, store, storage, files, enqueuer, pool)
        ports: dict[type, object] = {}
        metrics, alerts = Metrics(redis), Alerts(settings, redis)
        metering = Metering(database, UsageCounts(redis))
        schedules = Schedules(store, enqueuer, ports=ports)
        webhooks = webhook_parts(settings, database, redis, enqueuer)
        duties = watch_duties(settings, store, metrics, alerts, schedules, audit, metering) + webhook_duties(webhooks)
        own_alerts = owner_alerts(settings, database, redis, enqueuer)
        owner_usage = OwnerUsage(database, owners, store, settings.queues)
        changes = Changes(redis, store, audit, alerts)
        rescans = Rescans(settings, database, files, scanner, quarantined)
        duties += change_duties(store, changes) + owner_alert_duties(own_alerts, owner_usage, storage, is_personal)
        duties += [corrections.duty, Duty("malware scans", AGAIN_S, rescans.round, apart=True)]
        warn(stack, redis, places)
        ports |= (
            await stack.enter_async_context(open_mail(settings, database, redis))
            | offered_ports(settings, database, store, storage)
            | await packages_ports(stack, settings)
            | {
                Files: files,
                Corrections: corrections.port,
                Webhooks: webhooks.deliveries,
                Sentences: Translated(),
                OwnerAlertMails: own_alerts.mails,
                Operators: OperatorMail(settings, mail_limiter(settings, redis), ServerStatus(redis)),
                Reports: ReportFigures(metrics, alerts.outbox, settings.links_url, settings.alert_language),
            }
        )
        for maintenance in maintenance_of(settings, places, jobs, enqueuer.store, duties):
            await stack.enter_async_context(maintaining(maintenance))
        yield Services(
            settings=settings,
            redis=redis,
            store=store,
            enqueuer=enqueuer,
            jobs=jobs,
            database=database,
            storage=storage,
            files=files,
            scans=scans,
            uploads=uploads,
            presigned=PresignedUploads(uploads, storage, files),
            corrections=corrections.correcting,
            pool=pool,
            metrics=metrics,
            schedules=schedules,
            alerts=alerts,
            audit=audit,
            changes=changes,
            readiness=readiness(Store(redis, probe), database, storage),
            api_keys=api_keys,
            owners=owners,
            owner_usage=owner_usage,
            owner_alerts=own_alerts,
            metering=metering,
            fairness=Fairness(redis),
            trials=Trials(store, owners, changes.levels),
            failed_attempts=failed_attempts,
            users=Users(database, reserved=settings.dashboard_users),
            sessions=sessions,
            oidc=identity_provider(settings),
            tickets=Tickets(settings.link_key),
            correction_links=Tickets(settings.link_key, CORRECTIONS),
            webhooks=webhooks,
            runtime=Runtime(settings, store, enqueuer, storage, ports, tracing or NO_TRACING),
        )


def warn(stack: contextlib.AsyncExitStack, redis: Client, places: Sequence[Place]) -> None:
    """Look at the queue servers' settings, and for what older releases left there, in the background."""
    warnings = [asyncio.create_task(warn_of_settings(place.client)) for place in places]
    stack.push_async_callback(end, *warnings, asyncio.create_task(warn_of_left_behind(redis)))


async def inspection_pool(settings: Settings) -> CpuPool:
    """A pool that looks into uploads: one child, confined as far as the kernel can. Raises SystemExit as `checked` does."""
    await asyncio.to_thread(checked, settings)
    rules = rules_of(settings, scratch_root())
    return CpuPool(1, memory_mb=1024, name="inspection", niceness=settings.child_nice, rules=rules)


def identity_provider(settings: Settings) -> Any:
    """The identity provider, where one is set: only then its libraries are loaded."""
    if not settings.oidc_issuer:
        return None
    from service.access.oidc import Oidc

    return Oidc(settings)


def readiness(store: Store, database: Database, storage: Storage) -> Readiness:
    """Checks of the parts without which this process can serve no client."""
    return Readiness({"redis": store.check_writes, "database": database.check, "storage": storage.check})
