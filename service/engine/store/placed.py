"""`PlacedStore`: the job store where some queues have a server of their own. Each server is a `Store` of its own; this one
finds a job's by the queue of its type, and reads over all of them together (placed_reads.py).

A job's id begins with its type. One whose type was moved to another queue, or came from a plain arq client, is looked for on
the other servers too.
"""

import asyncio
import contextlib
from collections.abc import AsyncIterator, Callable, Mapping, Sequence

import msgspec

from service.engine.outcomes import EnqueueOutcome
from service.engine.redis.away import QueueServerAway, or_else
from service.engine.redis.client import Client
from service.engine.redis.command_connection import CommandConnection
from service.engine.redis.places import Place, places_of
from service.engine.states import WAITING
from service.engine.store.breakers import NO_BREAKERS, BreakerBounds
from service.engine.store.errors import AcrossServers
from service.engine.store.outbox import Outbox
from service.engine.store.placed_operations import PlacedOperations
from service.engine.store.placed_verbs import PlacedVerbs
from service.engine.store.records import Job
from service.engine.store.script_inputs import NewJob
from service.engine.store.store import Queued, Store
from service.engine.store.worker_verbs import Settle, UntilBack

Connect = Callable[[Place], CommandConnection | None]


def open_store(redis: Client, connect: Connect = lambda _: None, *, replicas: int = 0) -> Store:
    """The store of all servers that a client knows. `connect` makes what carries the jobs that are queued on each."""
    places = places_of(redis).all
    if len(places) == 1:
        return Store(redis, connect(places[0]), replicas=replicas)
    return PlacedStore(redis, [(place, Store(place.client, connect(place), replicas=replicas)) for place in places])


class PlacedStore(PlacedVerbs):
    """Verbs of clients and of operators. A worker claims and settles with the `Store` of its queue's server (`of_queue`)."""

    def __init__(
        self, redis: Client, stores: Sequence[tuple[Place, Store]], breakers: BreakerBounds = NO_BREAKERS
    ) -> None:
        super().__init__(redis, breakers=breakers)
        self.stores: Sequence[Store] = [store for _, store in stores]
        self.by_queue: Mapping[str, Store] = {queue: store for place, store in stores for queue in place.queues}
        self.watch = self._watch
        self.error_groups = self.groups
        self.operations = PlacedOperations(self)
        self.until_back = UntilBack(self)

    @contextlib.asynccontextmanager
    async def _watch(self, job_id: str) -> AsyncIterator[AsyncIterator[None]]:
        async with (await self.of_job(job_id)).watch(job_id) as changes:
            yield changes

    async def aclose(self) -> None:
        """Stop watching."""
        await super().aclose()
        for store in self.stores:
            await store.aclose()

    def settling(self, own: Store, settle: Settle) -> Settle:
        return Outbox(own, self).settling(settle)

    async def queued(self, jobs: Sequence[NewJob], *, together: bool = False) -> list[Queued]:
        """As `Store.queued`, all or nothing on each server. Raises QueueServerAway where one of theirs does not answer, and
        AcrossServers for jobs that go together and stand on several."""
        answers = await self.queued_apart(jobs, together=together)
        for answer in answers:
            if answer.outcome is EnqueueOutcome.AWAY:
                raise QueueServerAway(answer.job_id)
        return answers

    async def queued_apart(self, jobs: Sequence[NewJob], *, together: bool = False) -> list[Queued]:
        """As `Store.queued_apart`."""
        parted = self._parted(jobs)
        if together and len(parted) > 1:
            raise AcrossServers(sorted({job.queue for job in jobs}))
        limited = await self._limited(jobs)
        answers: dict[int, Queued] = {}

        async def queue(store: Store, numbers: Sequence[int]) -> None:
            try:
                found = await store.queued([limited[n] for n in numbers], together=together)
            except QueueServerAway as error:
                found = [Queued(EnqueueOutcome.AWAY, error.server, "")] * len(numbers)
            answers.update(zip(numbers, found, strict=True))

        await asyncio.gather(*(queue(store, numbers) for store, numbers in parted.items()))
        return [answers[n] for n in range(len(jobs))]

    def _parted(self, jobs: Sequence[NewJob]) -> dict[Store, list[int]]:
        """Numbers of the jobs of each server."""
        parted: dict[Store, list[int]] = {}
        for number, job in enumerate(jobs):
            parted.setdefault(self.of_queue(job.queue), []).append(number)
        return parted

    async def _limited(self, jobs: Sequence[NewJob]) -> list[NewJob]:
        """Requests whose limit leaves out what waits of their owner on the other servers. What is accepted at the same time
        on two servers is not seen by either."""
        owners = {job.owner for job in jobs if job.limit is not False}
        waiting = {owner: await self._waiting_by_store(owner) for owner in owners}
        found = []
        for job in jobs:
            if job.limit is False:
                found.append(job)
                continue
            own = self.of_queue(job.queue)
            elsewhere = sum(number for store, number in waiting[job.owner].items() if store is not own)
            found.append(msgspec.structs.replace(job, limit=max(0, int(job.limit) - elsewhere)) if elsewhere else job)
        return found

    async def _waiting_by_store(self, owner: str) -> Mapping[Store, int]:
        async def waiting(store: Store) -> int:
            with contextlib.suppress(QueueServerAway):
                return sum(n for state, n in (await store.counts_of_owner(owner)).items() if state in WAITING)
            return 0

        return dict(zip(self.stores, await asyncio.gather(*map(waiting, self.stores)), strict=True))

    async def workflow_queued(
        self, workflow_id: str, jobs: Sequence[NewJob], fingerprint: str, fields: Mapping[str, str]
    ) -> list[Queued]:
        """As `Store.workflow_queued`. Raises AcrossServers for jobs that stand on several servers."""
        if len(self._parted(jobs)) > 1:
            raise AcrossServers(sorted({job.queue for job in jobs}))
        return await self.of_queue(jobs[0].queue).workflow_queued(workflow_id, jobs, fingerprint, fields)

    async def merging_into(self, job: NewJob) -> str:
        return await self.of_queue(job.queue).merging_into(job)

    async def command(self, worker: str, command: bytes) -> bool:
        """As `Store.command`: on whichever server the worker listens."""
        return any(await asyncio.gather(*(or_else(store.command(worker, command), False) for store in self.stores)))

    async def event_came(self, job_id: str, event: str, body: bytes, by: str) -> Job:
        return await (await self.of_job(job_id)).event_came(job_id, event, body, by)

    async def cancel(self, job_id: str) -> Job:
        return await (await self.of_job(job_id)).cancel(job_id)

    async def retry(self, job_id: str) -> Job:
        return await (await self.of_job(job_id)).retry(job_id)

    async def delete(self, job_id: str) -> None:
        await (await self.of_job(job_id)).delete(job_id)

    async def restore(self, job_id: str) -> Job:
        return await (await self.of_job(job_id)).restore(job_id)

    async def purged(self, job_ids: Sequence[str]) -> int:
        return sum(await asyncio.gather(*(store.purged(job_ids) for store in self.stores)))
