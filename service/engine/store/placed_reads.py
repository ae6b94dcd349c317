"""Reads over several servers: each answers for its own jobs, and what they say is put together by creation stamp.

Within `partial_reads` (redis/away.py) servers that do not answer are left out; otherwise they are an error, unless the
question names a queue: then only that queue's server must answer.
"""

import asyncio
import heapq
from collections import Counter
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping, Sequence
from typing import TypeVar

import msgspec

from service.engine.redis.away import QueueServerAway, left_out, or_else
from service.engine.states import State
from service.engine.store import keys
from service.engine.store.errors import NoSuchJob
from service.engine.store.job_filter import JobFilter
from service.engine.store.listing import cursor_of, read_cursor
from service.engine.store.placed_groups import PlacedErrorGroups
from service.engine.store.queries import Coverage, Page
from service.engine.store.records import Attempt, Job, LogLine
from service.engine.store.store import Store
from service.engine.store.worker_reports import WorkerInfo
from service.engine.store.workflows import Workflow
from settings import Queue
from tasks.sdk.types import REGISTRY

T = TypeVar("T")


async def onward_ids(store: Store) -> list[str]:
    """Ids of the jobs that follow on other servers and have not been moved there (service/engine/store/outbox.py)."""
    pipe = store.redis.pipeline(transaction=False)
    for queue in Queue:
        pipe.lrange(keys.onward(queue), 0, -1)
    return [msgspec.json.decode(row, type=_Id).id for rows in await pipe.execute() for row in rows]


class _Id(msgspec.Struct):
    id: str


class PlacedReads(Store):
    """The reading half of PlacedStore."""

    stores: Sequence[Store]
    by_queue: Mapping[str, Store]

    @property
    def groups(self) -> PlacedErrorGroups:
        """The error groups of all servers."""
        return PlacedErrorGroups(self.redis, [store.error_groups for store in self.stores])

    def of_queue(self, queue: str) -> Store:
        """The store of a queue's server."""
        return self.by_queue.get(str(queue), self.stores[0])

    def of_own(self, own: Store) -> Store:
        return next((store for store in self.stores if store.redis is own.redis), self.stores[0])

    def of_type(self, name: str) -> Store:
        """The store of the server that jobs of a type are queued on."""
        job_type = REGISTRY.get(name)
        return self.of_queue(job_type.queue) if job_type else self.stores[0]

    def likely(self, job_id: str) -> Store:
        """The store in which a job of that id stands, unless its type was moved or it came from a plain arq client."""
        words = job_id.split("-")
        names = ("-".join(words[:count]) for count in range(len(words) - 1, 0, -1))
        return self.of_type(next((name for name in names if name in REGISTRY), ""))

    async def of_job(self, job_id: str) -> Store:
        """The store in which a job stands; the likely one where there is none. Raises QueueServerAway where that cannot be
        told."""
        likely = self.likely(job_id)
        try:
            if await likely.knows(job_id):
                return likely
            away: list[bool | BaseException] = []
        except QueueServerAway as error:
            away = [error]
        others = [store for store in self.stores if store is not likely]
        known = await asyncio.gather(*(store.knows(job_id) for store in others), return_exceptions=True)
        for store, answer in zip(others, known, strict=True):
            if answer is True:
                return store
        for answer in (*away, *known):
            if isinstance(answer, BaseException):
                raise answer
        return likely

    async def _all(self, ask: Callable[[Store], Awaitable[T]], queue: str | None = None) -> Sequence[T]:
        """The servers' replies in order, without those that do not answer and may be left out."""
        needed = self.of_queue(queue) if queue is not None else None

        async def reply_of(store: Store) -> Sequence[T]:
            try:
                return [await ask(store)]
            except QueueServerAway as error:
                if not left_out(error) and (needed is None or store is needed):
                    raise
                return ()

        return [answer for some in await asyncio.gather(*map(reply_of, self.stores)) for answer in some]

    async def get(self, job_id: str) -> Job | None:
        """As `Queries.get`. Raises QueueServerAway where it cannot be told, within `partial_reads` too."""
        return await (await self.of_job(job_id)).get(job_id)

    async def get_many(self, job_ids: Sequence[str]) -> list[Job | None]:
        if len(job_ids) == 1:
            return await (await self.of_job(job_ids[0])).get_many(job_ids)
        found: dict[str, Job] = {}
        by_store: dict[Store, list[str]] = {}
        for job_id in job_ids:
            by_store.setdefault(self.likely(job_id), []).append(job_id)
        await self._find(by_store, found)
        left = [job_id for job_id in job_ids if job_id not in found]
        others = {store: [i for i in left if self.likely(i) is not store] for store in self.stores} if left else {}
        await self._find({store: ids for store, ids in others.items() if ids}, found)
        return [found.get(job_id) for job_id in job_ids]

    @staticmethod
    async def _find(by_store: Mapping[Store, Sequence[str]], found: dict[str, Job]) -> None:
        pages = [or_else(store.get_many(ids), []) for store, ids in by_store.items()]
        for page in await asyncio.gather(*pages):
            found.update({job.id: job for job in page if job is not None})

    async def present(self, job_id: str) -> Job:
        job = await self.get(job_id)
        if job is None:
            raise NoSuchJob(job_id)
        return job

    async def unknown(self, job_ids: Sequence[str]) -> Sequence[str]:
        """As `Queries.unknown`. Raises QueueServerAway where one server does not answer: its jobs are not gone."""
        left = await asyncio.gather(*(store.unknown(job_ids) for store in self.stores))
        gone = set(job_ids).intersection(*left)
        if gone:
            # Those that wait to be moved to their own server have no record yet.
            gone -= {job_id for ids in await asyncio.gather(*map(onward_ids, self.stores)) for job_id in ids}
        return [job_id for job_id in job_ids if job_id in gone]

    async def knows(self, job_id: str) -> bool:
        return any(await self._all(lambda store: store.knows(job_id)))

    async def workflow(self, workflow_id: str) -> Workflow | None:
        found = await self._all(lambda store: store.workflow(workflow_id))
        return next((one for one in found if one is not None), None)

    async def arq_entries(self, job_ids: Sequence[str]) -> Sequence[bytes | None]:
        answers = await self._all(lambda store: store.arq_entries(job_ids))
        rows = zip(*answers, strict=True) if answers else ((None,) for _ in job_ids)
        return [next((one for one in row if one is not None), None) for row in rows]

    async def waiting_entries(self, queue: str) -> int:
        return await self.of_queue(queue).waiting_entries(queue)

    async def attempts(self, job_id: str) -> list[Attempt]:
        return await (await self.of_job(job_id)).attempts(job_id)

    async def log(self, job_id: str) -> list[LogLine]:
        return await (await self.of_job(job_id)).log(job_id)

    async def parts(self, job_id: str) -> list[Job]:
        return await (await self.of_job(job_id)).parts(job_id)

    async def page(self, wanted: JobFilter, limit: int = 50, cursor: str | None = None) -> Page:
        pages = await self._all(lambda store: store.page(wanted, limit, cursor), _queue_of(wanted))
        # A server may have read down to its cursor and no further: what the others have below that comes with a later page.
        floor = max((read_cursor(page.next_cursor) or 0 for page in pages if page.next_cursor), default=0)
        jobs = heapq.merge(*(page.jobs for page in pages), key=lambda job: -job.stamp)
        found = [job for job in jobs if job.stamp >= floor]
        # Of two servers' jobs of one microsecond none may lie between two pages.
        while len(found) > limit and found[limit].stamp == found[limit - 1].stamp:
            limit += 1
        if len(found) > limit:
            return Page(found[:limit], cursor_of(found[limit - 1].stamp))
        partial = [page.partial for page in pages if page.partial]
        coverage = Coverage(*map(sum, zip(*partial, strict=True))) if partial else None
        return Page(found, cursor_of(floor) if floor else None, coverage)

    async def newer(self, wanted: JobFilter, stamp: int, limit: int) -> int:
        return min(limit, sum(await self._all(lambda store: store.newer(wanted, stamp, limit), _queue_of(wanted))))

    async def newest_by(self, key: str, values: Sequence[str], count: int) -> dict[str, Sequence[Job]]:
        answers = await self._all(lambda store: store.newest_by(key, values, count))
        return {
            value: sorted((job for one in answers for job in one.get(value, ())), key=lambda job: -job.stamp)[:count]
            for value in values
        }

    async def walk(self, owner: str | None, chunk: int) -> AsyncIterator[Sequence[Job]]:
        """As `Queries.walk`. Raises QueueServerAway where one server does not answer: a part is not the whole."""
        heads: list[tuple[list[Job], AsyncIterator[Sequence[Job]]]] = [([], s.walk(owner, chunk)) for s in self.stores]
        while heads:
            for row, source in list(heads):
                while not row:
                    try:
                        row.extend(await anext(source))
                    except StopAsyncIteration:
                        heads.remove((row, source))
                        break
            page: list[Job] = []
            # Until one server's row is used up: what follows of it may come before the others' next.
            while heads and len(page) < chunk and all(row for row, _ in heads):
                page.append(max((row for row, _ in heads), key=lambda row: row[0].stamp).pop(0))
            if page:
                yield page

    async def workers(self) -> Sequence[WorkerInfo]:
        found = [worker for some in await self._all(lambda store: store.workers()) for worker in some]
        return sorted(found, key=lambda worker: (worker.queue, worker.started_at_ms))

    async def minutes(self, queue: str, minutes: Sequence[int]) -> Sequence[dict[str, int]]:
        return await or_else(self.of_queue(queue).minutes(queue, minutes), [{} for _ in minutes])

    async def count(self, owner: str | None) -> int:
        return sum(await self._all(lambda store: store.count(owner)))

    async def types(self, queue: str | None = None) -> Sequence[str]:
        return sorted({name for names in await self._all(lambda store: store.types(queue), queue) for name in names})

    async def holds_others(self, queue: str) -> bool:
        return any(await self._all(lambda store: store.holds_others(queue), queue))

    async def counts(self) -> dict[str, dict[State, int]]:
        totals: dict[str, dict[State, int]] = {}
        for counts in await self._all(lambda store: store.counts()):
            for queue, states in counts.items():
                total = totals.setdefault(queue, dict.fromkeys(State, 0))
                for state, number in states.items():
                    total[state] += number
        return totals

    async def counts_of_owner(self, owner: str) -> dict[State, int]:
        found = await self._all(lambda store: store.counts_of_owner(owner))
        return {state: sum(counts.get(state, 0) for counts in found) for state in State}

    async def counts_of(self, queue: str) -> Mapping[tuple[str, State], int]:
        total: Counter[tuple[str, State]] = Counter()
        for counts in await self._all(lambda store: store.counts_of(queue), queue):
            total.update(counts)
        return total

    async def backlog_ms(self) -> dict[str, int]:
        total: Counter[str] = Counter()
        for backlog in await self._all(lambda store: store.backlog_ms()):
            total.update(backlog)
        return dict(total)

    async def waiting_since_ms(self) -> dict[str, int | None]:
        earliest: dict[str, int | None] = {}
        for found in await self._all(lambda store: store.waiting_since_ms()):
            for queue, at_ms in found.items():
                before = earliest.get(queue)
                earliest[queue] = before if at_ms is None else at_ms if before is None else min(before, at_ms)
        return earliest

    async def oldest_of_owner(self, owner: str) -> tuple[int, str] | None:
        found = await self._all(lambda store: store.oldest_of_owner(owner))
        return min((one for one in found if one is not None), default=None)

    async def known_memory(self, job_type: str) -> dict[str, bytes]:
        return await self.of_type(job_type).known_memory(job_type)

    async def learned_memory(self, job_type: str, function: str, measured: bytes) -> None:
        await self.of_type(job_type).learned_memory(job_type, function, measured)

    async def pace(self, job_type: str) -> tuple[float | None, float | None]:
        return await self.of_type(job_type).pace(job_type)


def _queue_of(wanted: JobFilter) -> str | None:
    """The queue that a filter is about, where it is about one."""
    if wanted.queue is not None:
        return wanted.queue
    job_type = REGISTRY.get(wanted.type) if wanted.type else None
    return str(job_type.queue) if job_type else None
