"""A duty of the maintenance leader: hold every confirmed address against its owner's jobs and limits, and write what is due."""

from collections.abc import Callable, Sequence

import msgspec
import structlog
from redis.exceptions import RedisError

from service.database import AlertAddress
from service.engine.payload_files import PayloadFiles
from service.engine.redis.away import partial_reads
from service.engine.store import Job
from service.lib.clock import now_ms
from service.lib.outages import outage_of, put_off
from service.lib.reminder import Reminder
from service.monitoring.owner_alerts.conditions import JobLine, News, Reading, Use, step
from service.monitoring.owner_alerts.counters import EndCounters
from service.monitoring.owner_alerts.mails import AlertMails
from service.monitoring.owner_alerts.rows import AlertRows, progress_of, wanted
from service.monitoring.owner_usage import OwnerUsage, OwnerUse

log = structlog.get_logger("offload.owner_alerts")

MINUTE_MS = 60_000


class OwnerEvaluation:
    """Takes every address a step further. `personal` tells of a job that only a key with that scope reads: no link is made
    for it."""

    def __init__(
        self,
        rows: AlertRows,
        counters: EndCounters,
        usage: OwnerUsage,
        payloads: PayloadFiles,
        mails: AlertMails,
        personal: Callable[[Job], bool],
    ) -> None:
        self.rows = rows
        self.counters = counters
        self.usage = usage
        self.store = usage.store
        self.payloads = payloads
        self.mails = mails
        self.personal = personal
        self.away = Reminder()

    async def evaluate(self) -> None:
        """Hold each address against its owner once. Waits where the database is away."""
        with put_off(self.away, log, "owner_alerts.delayed"):
            await self.counters.sync()
            after = ""
            while rows := await self.rows.confirmed(after):
                await self._evaluate_all(rows)
                after = rows[-1].address_id

    async def _evaluate_all(self, rows: Sequence[AlertAddress]) -> None:
        by_owner: dict[str, list[AlertAddress]] = {}
        for row in rows:
            by_owner.setdefault(row.owner, []).append(row)
        limited = [owner for owner, mine in by_owner.items() if any("limits" in wanted(row) for row in mine)]
        with partial_reads() as away:
            uses = {use.owner: limits_of(use) for use in await self.usage.of_all(limited)}
        for owner, mine in by_owner.items():
            try:
                waits = any("waiting" in wanted(row) for row in mine)
                reading = await self._reading(owner, uses.get(owner, []), waits=waits, whole=not away)
                for row in mine:
                    await self._evaluate(row, reading)
            except Exception as error:
                if isinstance(error, RedisError | OSError) or outage_of(error):
                    raise
                # One owner that cannot be read must not keep the others from being told.
                log.exception("owner_alerts.failed", owner=owner)

    async def _reading(self, owner: str, use: Sequence[Use], *, waits: bool, whole: bool) -> Reading:
        with partial_reads() as away:
            ends, all_there = await self.counters.of(owner)
            oldest = await self.store.oldest_of_owner(owner) if waits else None
        return Reading(now_ms(), ends, use, oldest, whole and all_there and not away)

    async def _evaluate(self, row: AlertAddress, reading: Reading) -> None:
        progress = progress_of(row)
        before = msgspec.json.encode(progress)
        news = step(progress, wanted(row), row.every_minutes * MINUTE_MS, row.waiting_minutes * MINUTE_MS, reading)
        if msgspec.json.encode(progress) == before:
            return
        if news:
            await self._name_jobs(news)
        mail = await self.rows.advance(row, progress, news)
        if mail:
            log.info("owner_alert.written", owner=row.owner, address_id=row.address_id, mail=mail.mail_id)
            await self.mails.queue([mail])

    async def _name_jobs(self, news: News) -> None:
        ids = news.named()
        for job in await self.store.get_many(ids) if ids else []:
            if job is not None:
                await self.payloads.show(job)
                news.jobs[job.id] = JobLine(job.id, job.type, job.finished_ms, linked=not self.personal(job))


def limits_of(use: OwnerUse) -> list[Use]:
    """Uses of an owner that something bounds; not of requests and mails, of which there are new ones within the hour."""
    values = use.limits.values
    found = [
        ("queued_jobs", use.waiting, use.waiting_max),
        ("stored_bytes", use.bytes, values.stored_bytes),
        ("pages_per_month", use.pages, values.pages_per_month),
    ]
    return [Use(field, used, most) for field, used, most in found if most is not None]
