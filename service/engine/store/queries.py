"""The reading side of the store. Every list is an index read from its newest end; nothing walks the key space."""

from collections.abc import AsyncIterator, Sequence
from dataclasses import dataclass, replace
from typing import NamedTuple

import msgspec

from service.engine.redis.client import Client
from service.engine.sealing import MARK_BYTES, SEALING
from service.engine.store import keys
from service.engine.store.job_counts import JobCounts
from service.engine.store.job_filter import JobFilter
from service.engine.store.listing import Reader, cursor_of, read_cursor
from service.engine.store.payloads import with_defaults
from service.engine.store.records import Attempt, Job, LogLine, to_job
from service.engine.store.worker_reports import WorkerInfo, WorkerReports
from service.engine.store.workflows import Workflow, to_workflow
from service.lib.encryption import Unreadable


class Coverage(NamedTuple):
    """Number of jobs that a page has looked at, and of those that could fit from where it began, at most."""

    examined: int
    candidates: int


@dataclass(slots=True, frozen=True)
class Page:
    """Jobs, newest first. `next_cursor` is opaque; None at the end. `partial` stands where a page has fewer than were asked
    for since it has looked at as many as one page may."""

    jobs: list[Job]
    next_cursor: str | None
    partial: Coverage | None = None


class Queries(JobCounts):
    """Lists, counts and single records."""

    def __init__(self, redis: Client) -> None:
        super().__init__(redis)
        self.worker_reports = WorkerReports(redis)

    async def knows(self, job_id: str) -> bool:
        """True where there is a record, be it in the bin."""
        return bool(await self.redis.exists(keys.job(job_id)))

    async def get(self, job_id: str) -> Job | None:
        """One record, or None; one in the bin counts as gone."""
        job = (await self.get_many([job_id]))[0]
        return None if job and job.deleted_ms else job

    async def workflow(self, workflow_id: str) -> Workflow | None:
        """A workflow's record, or None once the last of its jobs is gone."""
        raw = await self.redis.hgetall(keys.workflow(workflow_id))
        return to_workflow(workflow_id, raw) if raw else None

    async def get_many(self, job_ids: Sequence[str]) -> list[Job | None]:
        """Records in the order asked for, None where there is none (any more)."""
        pipe = self.redis.pipeline(transaction=False)
        for job_id in job_ids:
            pipe.hgetall(keys.job(job_id))
        jobs = [to_job(i, raw) if raw else None for i, raw in zip(job_ids, await pipe.execute(), strict=True)]
        for job in jobs:
            # One in a file is read where it is needed.
            if job is not None and job.payload_file is None and (job.payload or not job.unreadable):
                job.payload = with_defaults(job.type, job.payload)
        return jobs

    async def unknown(self, job_ids: Sequence[str]) -> Sequence[str]:
        """Those that there is no record of (any more). Records, which may be large, are not read."""
        pipe = self.redis.pipeline(transaction=False)
        for job_id in job_ids:
            pipe.exists(keys.job(job_id))
        return [job_id for job_id, there in zip(job_ids, await pipe.execute(), strict=True) if not there]

    async def arq_entries(self, job_ids: Sequence[str]) -> Sequence[bytes | None]:
        """Entries of plain arq as they were serialized, None where there is none (any more)."""
        entries: Sequence[bytes | None] = await self.redis.mget([keys.arq_job(job_id) for job_id in job_ids])
        return entries

    async def waiting_entries(self, queue: str) -> int:
        """Entries of a queue, waiting and running, with those of plain arq."""
        return int(await self.redis.zcard(queue))

    async def walk(self, owner: str | None, chunk: int) -> AsyncIterator[Sequence[Job]]:
        """All jobs of an owner (of everybody for None), newest first, at most `chunk` records at a time.

        The set of jobs is settled at the start: newer ones lie above the first page's end. Each page of ids is read in one
        transaction, so that a job which changes its state in the meantime is neither missed nor met twice.
        """
        indexes = await self._indexes(owner)
        top = "+inf"
        while indexes:
            pipe = self.redis.pipeline(transaction=True)
            for index in indexes:
                pipe.zrevrangebyscore(index, top, "-inf", start=0, num=chunk, withscores=True)
            found = [(job_id.decode(), int(stamp)) for part in await pipe.execute() for job_id, stamp in part]
            page = sorted(found, key=lambda entry: -entry[1])[:chunk]
            jobs = await self.get_many([job_id for job_id, _ in page]) if page else []
            yield [job for job in jobs if job is not None]
            if len(page) < chunk:
                return
            top = f"({page[-1][1]}"

    async def attempts(self, job_id: str) -> list[Attempt]:
        """Ended attempts, oldest first (the last 50)."""
        rows = await self.redis.lrange(keys.attempts(job_id), 0, -1)
        return [_opened(job_id, msgspec.json.decode(row, type=Attempt)) for row in rows]

    async def log(self, job_id: str) -> list[LogLine]:
        """Lines that the job's task logged, oldest first (the last 200 lines, of all attempts)."""
        rows = await self.redis.lrange(keys.log(job_id), 0, -1)
        return [_line(job_id, row) for row in rows]

    async def parts(self, job_id: str) -> list[Job]:
        """A job's parts in order; empty when it has none."""
        ids = [x.decode() for x in await self.redis.lrange(keys.parts(job_id), 0, -1)]
        return [job for job in await self.get_many(ids) if job is not None] if ids else []

    async def list(
        self,
        *,
        queue: str | None = None,
        state: str | None = None,
        type: str | None = None,
        owner: str | None = None,
        search: tuple[str, str] | None = None,
        limit: int = 50,
        cursor: str | None = None,
    ) -> Page:
        """One page of jobs, newest first. Raises ValueError for an invalid cursor.

        A parameter that is None filters nothing. `search` is a search key of job types with its value, such as
        ("file_id", "…"). A page is shorter than `limit` where a filter has to pass over many jobs; it is the last one only
        where it has no cursor.
        """
        return await self.page(JobFilter(queue, state, type, owner, search), limit, cursor)

    async def page(self, wanted: JobFilter, limit: int = 50, cursor: str | None = None) -> Page:
        """As `list`, by any filter."""
        reader = await self._reader(wanted, cursor)
        found: list[Job] = []
        count = min(reader.step, limit + 1)
        while (lacking := limit + 1 - len(found)) > 0 and not reader.ended and not reader.spent:
            rows = await reader.next(count)
            while rows and lacking > 0:
                jobs = await self.get_many([i for i, _ in rows[:lacking]])
                found += [job for job in jobs if job and wanted.fits(job)]
                rows, lacking = rows[lacking:], limit + 1 - len(found)
            # Twice what would fill the page if the rest fits as often as what was seen.
            count = min(reader.step, max(limit + 1, 2 * lacking * reader.examined // max(1, len(found))))
        if len(found) > limit:
            return Page(found[:limit], cursor_of(found[limit - 1].stamp))
        if reader.ended and not reader.cut:
            return Page(found, None)
        return Page(found, cursor_of(reader.below or 0), Coverage(reader.examined, await reader.candidates()))

    async def newest_by(self, key: str, values: Sequence[str], count: int) -> dict[str, Sequence[Job]]:
        """The newest `count` jobs of each value of a search key, newest first, in two round trips."""
        pipe = self.redis.pipeline(transaction=False)
        stand_for = [SEALING.finds(key, value) for value in values]
        for digests in stand_for:
            for digest in digests:
                pipe.zrevrange(keys.found_by(key, digest), 0, count - 1, withscores=True)
        rows = iter(await pipe.execute())
        # Under several digests where keys were changed.
        found = [sorted((row for _ in digests for row in next(rows)), key=lambda row: -row[1]) for digests in stand_for]
        ids = [[i.decode() for i, _ in row[:count]] for row in found]
        wanted = sorted({i for row in ids for i in row})
        known = {job.id: job for job in await self.get_many(wanted) if job} if wanted else {}
        return {value: [known[i] for i in row if i in known] for value, row in zip(values, ids, strict=True)}

    async def newer(self, wanted: JobFilter, stamp: int, limit: int) -> int:
        """Number of fitting jobs that have come since the one of that creation stamp, `limit` at most."""
        return len(await (await self._reader(wanted)).next(limit, above=stamp))

    async def _reader(self, wanted: JobFilter, cursor: str | None = None) -> Reader:
        below = read_cursor(cursor)
        queues = wanted.named("queue") if wanted.led_by_types else None
        types = sorted({name for queue in queues for name in await self.types(queue)}) if queues is not None else ()
        if wanted.led_by_types and queues is None:
            types = list(await self.types())
        return Reader(self.redis, wanted, types, below)

    async def workers(self) -> Sequence[WorkerInfo]:
        """Workers that reported within the last quarter of an hour, by queue and age."""
        return await self.worker_reports.list()

    async def minutes(self, queue: str, minutes: Sequence[int]) -> Sequence[dict[str, int]]:
        """Event counts of a queue in the given minutes (minutes since the epoch), over its jobs and their parts."""
        pipe = self.redis.pipeline(transaction=False)
        for minute in minutes:
            pipe.hgetall(keys.metrics(queue, minute))
        return [_summed(row) for row in await pipe.execute()]


def _opened(job_id: str, attempt: Attempt) -> Attempt:
    def opened(text: str | None, field: str) -> str | None:
        try:
            return SEALING.open(text, job_id, f"attempt.{field}") if text else text
        except Unreadable as error:
            return str(error)

    if not (attempt.error or attempt.traceback):
        return attempt
    return replace(attempt, error=opened(attempt.error, "error"), traceback=opened(attempt.traceback, "traceback"))


def _line(job_id: str, row: bytes) -> LogLine:
    if not row.startswith(MARK_BYTES):
        return msgspec.json.decode(row, type=LogLine)
    try:
        return msgspec.json.decode(SEALING.open(row, job_id, "log"), type=LogLine)
    except Unreadable as error:
        return LogLine(0, "warning", 0, str(error))


def _summed(row: dict[bytes, bytes]) -> dict[str, int]:
    counts: dict[str, int] = {}
    for field, number in row.items():
        event = field.decode().replace("/", "|").partition("|")[0]
        if not event[-1].isdigit():
            counts[event] = counts.get(event, 0) + int(number)
    return counts
