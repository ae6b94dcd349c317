"""`Enqueuer`: puts jobs into the queue. Record, indexes and arq entry are written in one transaction, or not at all."""

import asyncio
from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Unpack

import msgspec

from service.engine.batching import Batcher
from service.engine.estimates import Estimator
from service.engine.job_requests import Accepted, Given, JobRequest, Step
from service.engine.outcomes import EnqueueOutcome
from service.engine.payload_files import Moved, PayloadFiles
from service.engine.plans import LimitsOf, without_plans
from service.engine.preparation import Preparation, Refusal
from service.engine.store import IdempotencyConflict, Queued, Store
from service.engine.store.script_inputs import NewJob
from service.engine.store.workflows import as_record
from service.engine.terms import NO_TERMS, Terms
from service.engine.tracing import NO_TRACING, Tracing
from service.lib.text import listed
from settings.queues import Queue, QueueSettings
from tasks.sdk.types import JobType, Payload

BATCH = 500
"""Jobs one script call writes: a few milliseconds of the server's time, so that other clients hardly wait."""


class Enqueuer:
    """Queues jobs of declared types.

    `queues` has the settings of every queue, `limits_of` the limits of an owner's plan; by default owners have none.
    `payloads` takes those that are too large for a record; without it records hold them all.
    """

    def __init__(
        self,
        store: Store,
        queues: Mapping[Queue, QueueSettings],
        tracing: Tracing = NO_TRACING,
        limits_of: LimitsOf = without_plans,
        payloads: PayloadFiles | None = None,
    ) -> None:
        self.store = store
        self.tracing = tracing
        self.limits_of = limits_of
        self.payloads = payloads
        self.estimator = Estimator(store)
        self.preparation = Preparation(self.estimator, queues, tracing, limits_of)
        # Many requests at once share a script call.
        self.batchers: dict[Store, Batcher[NewJob, Queued]] = {}
        """One for each server: a server that does not answer keeps no other's requests waiting."""

    async def enqueue(
        self,
        job_type: JobType,
        payload: Payload,
        *,
        owner: str,
        priority: str = "normal",
        schedule_at: datetime | None = None,
        terms: Terms = NO_TERMS,
        idempotency_key: str | None = None,
        units: int = 0,
        origin: str | None = None,
        mails: int = 0,
    ) -> Accepted:
        """Queue one job. `units` is its amount of work (pages, rows, recipients), for estimates; `origin` is the id of
        the job that it repeats, `mails` the number of messages that it sends.

        Raises IdempotencyConflict when the key belongs to another request, OverLimit over a limit of the owner's.
        """
        with self.tracing.enqueue(str(job_type.queue), job_type.name):
            if schedule_at:
                terms = msgspec.structs.replace(terms, schedule_at=schedule_at)
            job = JobRequest(job_type, payload, priority, terms, idempotency_key, units, origin, mails=mails)
            prepared = await self.preparation.bounded(job, owner)
            moved = await self.move_out([prepared.request])
            reply = await self._batcher(prepared.request.queue)(prepared.request)
            await self._settle(moved, [prepared.request], [reply])
            refusal = prepared.refusal(reply)
            if refusal:
                raise refusal
            self.tracing.enqueued(reply.job_id)
            return prepared.accepted(reply)

    async def move_out(self, requests: Sequence[NewJob]) -> Sequence[Moved]:
        """Store the payloads that are too large for a record. Raises what the storage raises: then nothing is queued."""
        return await self.payloads.move_out(requests, self.store) if self.payloads else ()

    async def _settle(self, moved: Sequence[Moved], requests: Sequence[NewJob], replies: Sequence[Queued]) -> None:
        if moved and self.payloads:
            by_id = dict(zip([one.id for one in requests], replies, strict=True))
            await self.payloads.settle(moved, by_id)

    def _batcher(self, queue: str) -> Batcher[NewJob, Queued]:
        server = self.store.of_queue(queue)
        if server not in self.batchers:
            self.batchers[server] = Batcher(self.store.queued)
        return self.batchers[server]

    async def enqueue_together(
        self, jobs: Sequence[JobRequest], *, owner: str, all_or_nothing: bool
    ) -> list[Accepted | Refusal | None]:
        """Queue up to BATCH × 2 jobs of any types in one script call; returns the outcome of each, in order.

        With `all_or_nothing` one that is refused keeps all others from being queued; these are None.
        """
        prepared = [await self.preparation.bounded(job, owner) for job in jobs]
        requests = [one.request for one in prepared]
        moved = await self.move_out(requests)
        replies = await self.store.queued_apart(requests, together=all_or_nothing)
        await self._settle(moved, requests, replies)
        return [
            one.refusal(reply) or (None if reply.outcome is EnqueueOutcome.HELD else one.accepted(reply))
            for one, reply in zip(prepared, replies, strict=True)
        ]

    async def enqueue_workflow(
        self,
        steps: Sequence[Step],
        *,
        workflow_id: str,
        owner: str,
        goes_on: bool,
        key: str,
        fingerprint: str,
        callback_url: str = "",
    ) -> Mapping[str, str]:
        """Queue jobs that come after each other, all or nothing; returns their ids by name. Those without a job before
        them may start at once, the others once those before them have completed, or ended where the workflow `goes_on`.

        A workflow of that id and fingerprint that is there already is the one that is meant. Raises IdempotencyConflict
        for one of another fingerprint, OverLimit over a limit of the owner's.
        """
        prepared = {step.name: await self.preparation.bounded(step.job, owner) for step in steps}
        ids = {name: one.request.id for name, one in prepared.items()}
        for step in steps:
            request = prepared[step.name].request
            request.workflow = workflow_id
            request.find.append(f"workflow:{workflow_id}")
            request.followers = [ids[other.name] for other in steps if step.name in other.after] or False
            if goes_on:
                request.fields += ["goes_on", 1]
            if step.after:
                request.after = len(step.after)
                request.fields += ["message", f"Waits for {listed(step.after)}"]
        record = as_record(
            owner, goes_on, {step.name: (ids[step.name], list(step.after)) for step in steps}, callback_url
        )
        requests = [one.request for one in prepared.values()]
        moved = await self.move_out(requests)
        replies = await self.store.workflow_queued(workflow_id, requests, fingerprint, record)
        # One reply stands for all where the workflow is there already.
        await self._settle(moved, requests, replies if len(replies) == len(requests) else replies * len(requests))
        if replies[0].outcome is EnqueueOutcome.CONFLICT:
            raise IdempotencyConflict(key, workflow_id)
        if replies[0].outcome is EnqueueOutcome.SAME:
            stored = await self.store.workflow(workflow_id)
            return {name: job_id for name, (job_id, _) in stored.jobs.items()} if stored else {}
        for one, reply in zip(prepared.values(), replies, strict=True):
            if refusal := one.refusal(reply):
                raise refusal
        return ids

    async def enqueue_many(
        self, job_type: JobType, payloads: Sequence[Payload], *, owner: str, priority: str = "normal", units: int = 0
    ) -> list[str]:
        """Queue many jobs of one type, one round trip per BATCH, without the owner's limit. Returns their ids in order.

        `units` is the work of each job, for the estimate; 0 where that is not known. A `priority` above the owner's plan is
        lowered to it.
        """
        with self.tracing.enqueue(str(job_type.queue), job_type.name, count=len(payloads)):
            request = await self.preparation.alike(job_type, owner=owner, priority=priority, units=units)
            ids: list[str] = []
            under_way: asyncio.Task[list[Queued]] | None = None
            for start in range(0, len(payloads), BATCH):
                batch = [request(payload) for payload in payloads[start : start + BATCH]]
                await self.move_out(batch)
                # The next batch is put together while the server writes this one; the order stays.
                if under_way is not None:
                    ids += [reply.job_id for reply in await under_way]
                under_way = asyncio.create_task(self.store.queued(batch))
                await asyncio.sleep(0)
            if under_way is not None:
                ids += [reply.job_id for reply in await under_way]
            return ids

    async def request(self, job_type: JobType, payload: Payload, **given: Unpack[Given]) -> NewJob:
        """A new job of a declared type, for the store to write, with its measured cost and the current trace. Its payload is
        stored where it is too large for a record."""
        request = await self.unstored_request(job_type, payload, **given)
        await self.move_out([request])
        return request

    async def unstored_request(self, job_type: JobType, payload: Payload, **given: Unpack[Given]) -> NewJob:
        """As `request`, for a job that is not queued soon: `move_out` comes right before that, or a clean-up of the storage
        finds a file that no record names."""
        return await self.preparation.unbounded(job_type, payload, **given)
